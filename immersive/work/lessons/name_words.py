"""Words that a check of names needs: given names (`given_names.txt`), words that are names too, what stands by them.

All are folded as `names.fold` does: no capitals, no accents. The names of
people who are here are not among them: those come from the directory.
"""

from __future__ import annotations

from pathlib import Path


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


GIVEN = _set((Path(__file__).parent / "given_names.txt").read_text(encoding="utf-8"))
"""Given names of many places, of which a stranger in a note may bear one."""

WORDS = _set("""
    able ace acre ada adler aime alba alexa alexandria ali alias allen alma alt am amal amazon amber ami an ana angel
    angelica anh ann apollo april arch archer are ariel art artemis as ash asia aspen at ate athena atlas august aura
    aurelia aurora austen austin autumn axe azalea bach bailey baker ball ban bank banks bar barbe barber bark barn
    barrow basil bat bau bauer bay be beach bean bear beck bell belle ben berg berger berlin berry bert best bethlehem
    bien bill binh birch bird bishop bit black blanc blanca blanche blaze block bloom blossom blue bluetooth bo bob
    bolt bon bond bonne bonnie booth bosch boston bow bowl bowman boy branch brand brandy braun bread brick bridge
    bridges briggs bright bristol brook brooklyn brooks brown brun buck bud buddy bull burn burns bus bush but butcher
    butler butter by cadence cam camden can candida candy cane cannon canton car card care carol carolina carpenter
    carr carry carter carver case cash cassandra castle catania ceres chad chance chandler charity chase chelsea
    chennai cherry chester cheyenne chi chin china chip chips chord christian christians church city claire clarity
    claude clay clement clementine click cliff close cloud clover coach coast cobb cold cole coleman cologne colon
    comfort como con confluence constance constant cook cool cooper cope cor coral corn cot count court cox craft
    crane crisp crispin cross crystal cuba cure curry da dahlia daily dakota dale dallas dan dance dang dash dat data
    date dawn day days de deacon dean dear debian deed delhi dell delphi dem den denny denver der derby des desire
    destiny devon dew di dial diamond dian dick did die diesel dill dim din dip do dock docker doll dolly dolores don
    door dos dot dove drake draper drew driver drum du dublin duke dune dung duo dutch earl early east easter eclipse
    eden eight eko elder ella ember emmy end engel english ernest ernst essen eta eve evening ever every excel fabian
    fair faith falke fall fan fanny far farmer favor fay fee feld fen fern fest few field fields fin finch fine finn
    fire first fischer fish fisher five flag fleet fletcher flint floor flora florence florida flower flowers foot for
    force ford forest forge forrest fort forth foster fountain four fox franc frank free freeman freight freitag
    french freya from frost fry fuchs fuller fun gaia gale gall gantt gap gardener garland garner garnet gates gauss
    gem gene geneva genoa gentle georgia get gift gilbert gill ginger git gladness glass glen glenn gloria glory
    glover go gold golden good got grace gracious grafana grand grant graves gray grazia green grenada grey griffin
    gross grove guide guy had hahn haifa hale hall ham hamburg hamilton hammer han hand handy hank happiness happy
    harbor hardy harley harmony harp harper harry hart harvest has hat havana have haven hawk hay hazel hazy he head
    heart heath heather heaven hedge heide helm her herb herbst herd here heritage hermes hi high hill him hint his
    hit ho hoa hold holly home honda honey hong honore hood hook hop hope horn hot hour house houston how hub hue hug
    hull hum hung hunt hunter hyacinth ice idea ideal if imani in indah india indiana ink into ion ireland iris iron
    is isle israel it its ivory ivy jack jackson jade java jay jean jenkins jericho jersey jet jewel jewels jim job
    jolly jonquil jordan jordana josh joy juan jubilee judge juice julia july jump jun june jung junior junk jupiter
    just juste justice kafka kai kaiser kay keen keep kelvin kent kenya key kiel kim kin kind king kirby kit kite
    klein knight know koch koenig kotlin kurz la lace lake lamb lan lancaster lance land lane lang lange lark lass
    last laurel lavender law lawn lay le lea lead leaf led lee leeds lemon lent less let level liberty lid lie lien
    light like lila lilac lille lily lim lima lin lincoln linde linden line link linux lion lip lisa list little live
    lo load loan lock loki london long look lord lore lorraine los lot lots lotus lourdes love low lucerne luck lucky
    lulu luna lune lynx ma mace mack made madison mag magic magnolia mai maiden mail main major make male mali malta
    man manila manor many map maple mar marble marcel march marche mare maria marigold marina maris mark marker marks
    marsh marshal marshall martial mason master mat mate matin matte max may me mead meadow meadows mean mei meister
    melbourne melody melon memphis mercedes merchant mercurial mercury mercy merit merry mike milan miles milk mill
    miller mills min mina mine minerva minsk mint mio miracle misty mix moe mole mona monaco monday monk montag
    montana month montreal moon moor moore more morgan moritz morning morris mosquitto moss most mount mu much mud
    mueller munich murphy muslim mustard my myrtle nam name nan nap nas navy nay neat need nelson neptune net nevada
    never new newman next nice nick nile nina no noble nod noel none noon nor nora norris north not note nova novel
    now nun nurse nut oak oakley ocean odessa odin of off often oh oil old ole olive on once one only opal open opt or
    orange order orion orlando oscar osier oslo other otis our out outlook over owl own oxford pace packer padua page
    paige paint palm palmer pan pansy pareto parfait paris park parker parks parma parson part pascal past pat
    patience patient paw pay paz pe peace peach pear pearl pen penny pepper per perch perry persia person petal petra
    petunia pharaoh philadelphia philips phillips phoenix pi pike pin pine ping piper pit pitt pixie plain plan plum
    plus pluto ply pole pond pong pool poole pope poppy port porter porto post postgres pot potter pound power powers
    praise precious press preston price pride prime primrose prince princess prior prosper prudence pub purple put
    python qua quang que queen quick quinn quite radar rain rainbow raja ram ramp ran randy range ranger rani rap rasa
    rather raven raw ray read ready real red reed reef reese reeve regina regis reign rein rejoice remedy ren rene
    reno reset rest rex rice rich riches richmond rig riga right rim ring rio rip ripple rise river rivers road rob
    robe robin rock rocky rod roll rollo roma roman rome ron roof rook root rope rosa rose rosemary rosie rot roth
    round row rowan royal ruby ruff rug rule run rush russet rust rusty ryder rye sable sad saddler saffron saga sage
    said saint sake salem sally salt sam same samstag sand sandra sands sandwich sandy sang sanna sans santiago santos
    sapphire sara sasha sat saturn savage savannah savona saw sawyer say scala scarlet schema schmidt schneider school
    schwarz scout sea seal season seda see selin sema sen send serene serenity sergeant set seven sew shade shadow
    sharepoint sharp shaw she sheffield shell shepherd sherry shield shift shin shine shore short show shu side
    siemens siena sienna sierra silk silver sim sin sina since singer sinter sir siri sit six ski skip sky slack slate
    sleep sloan small smart smith smoke snow so sofia sol soldier solo some sommer son sonar song sonntag soon sorrel
    sort soul south soy spark spear speed spencer spice spring spruce square sri stable stacy staff stage stanley star
    stark starling steel steele stein stella sten step sterling stern stew steward stewart stig still stirling stock
    stone storey storm story stout straw stream street strong stuttgart su sub such sue suede sugar sum summer summers
    sun sunday sung sunny sure swan sweet swift sydney table tad tae tag tai tailor taker talent tam tamer tan tang
    tanner tansy tao tap tar tat tate tau taylor tea teal teams tell temper temperance temple ten term texas than that
    their them then there these they thin thing third this tho thor thorn those three thu thy thyme tic tide tie tiger
    till tim timber time tin tina tiny tip tirana titan titania to today toe tom ton toner tong tony too took top tor
    tours tower town trace track tram traveller tray treasure trento tres tri trinity trip trout troy true truman
    trust try tu tucker tuesday tung tunis turin turn turner tweed two tyler tyrol tyson ubuntu ulm ulysses un una
    under union unit until up upton urban uri us use usman vale valencia valentine valletta valley van vane vault veil
    venture venus vera verity vernal verona very vesta vi vice victor victoria victory vienna view villa vine viola
    violet virginia virtue vision vista vita viva vo vogel von wade wait wald walk walker wall wallace waller walls
    wally wan want ward warden ware warm warner warsaw was wash washington waste watch water waters watson watt watts
    wave wax way wayne we weaver web webb weber webster wednesday week weeks weir weiss well wellington wells wen
    wendy were west weston wet what wheat wheel wheeler when where which while white who whole why wilde will willow
    wilson wim win wind windsor wine wing winner winter winters wise wit with without witness woe wolf woman won woo
    wood woods woody wool word worth would wow wren wrench wright yale yang yann yard year yen yes yet yon york you
    young your yours yu zara zen zeus zip zola zone
""")
"""Words, places and things that are names as well: alone they are a name only beside something that says so."""

MONTHS = _set("""
    apr april aug august dec jan juin jul juli july jun june mai mar march may nov oct sep sept
""")

PARTICLES = _set("""
    ab af al ap av ben bin bint d da das de del della den der des di do dos du e el ibn l la las le los mac mc san st
    te ten ter ul und van vom von y zu zum
""")
"""What stands within a name."""

TITLES = _set("""
    bey capt captain cllr councillor dhr doktor dott dottoressa dr dra drs fr frau hanim herr hr ing insp inspector
    madame mademoiselle meneer mevr mevrouw mgr miss mlle mme monsieur mr mrs ms mx pan pani pater prof professor rev
    reverend senor senora senorita sergeant sgt sig signor signora signore sir sr sra
""")

ROLES = _set("""
    chair chairman chairwoman client colleague customer director doctor gast guest kollege kollegin kunde kundin lehrer
    minister monsieur madame mayor nachbar nurse patient president professor teacher user visitor
""")
"""What stands after a title and is nobody: "Dear Mr Customer"."""

SAYS = _set("""
    admitted agreed answered apologised apologized argued arrived asked asks assumed assumes believed believes blamed
    called came claimed complained confused decided decides denied disagreed discovered drove emailed explained
    explains feels felt forgets forgot guessed hesitated hoped hurried ignored insisted joined knew knows laughed
    learned learnt left looked mentioned misheard misread mistyped misunderstood mixed noticed objected offered
    overlooked panicked phoned promised rang realised realized refused remembered reminded replied reported resigned
    retired said saw says shouted skipped slept spotted suggested suggests swore taught tells texted thanked thinks
    thought told volunteered walked wanted wants warned went writes wrote
""")
"""What people do, and ovens and bills do not: after a word it tells a name."""

DOES = _set("""
    and approved booked broke cancelled changed checked clicked closed copied could covered cut deleted deployed did
    didn does doesn dropped entered filled fixed found gave gives had hadn handled has hasn installed is isn loaded
    lost made makes measured merged missed moved opened or ordered picked pressed pushed put puts ran read sends sent
    set should signed signs started stopped swapped switched takes took tried turned typed used was wasn would
""")
"""What others do as well: after a capital within a sentence it tells a name."""

TELLS = _set("""
    asked blamed called emailed paged phoned pinged rang reminded texted thanked told warned
""")
"""What is done to people: before a word it tells a name."""

BESIDE = _set("""
    after and apprentice as asked because before between blamed boss both buddy but by called cc colleague director
    driver either emailed engineer even fitter for from if intern lead like manager mentor neither nurse only operator
    or paged partner per phoned pinged planner rang reminded since so supervisor teacher teammate technician texted
    than thanked that then to told trainer via warned when while with without
""")
"""Before a capital that something is done by or belongs to, they tell a name."""

KIN = _set("""
    apprentice boss buddy colleague collegue engineer foreman intern kollege kollegin manager mentor planner
    supervisor teammate technician trainer
""")
"""After them a capital tells a name."""

THINGS = _set("""
    ag airport algorithm app avenue award bakeries bakery bay beach board bolt branch bridge brothers building burner
    bv cafe channel chart charts city cluster coast college company connector constant contraption contraptions county
    court curve cycle database day degrees depot diagram dish dishes distribution effect equation flask flasks
    foundation gmbh group hall harbor harbour hardness hill hospital hotel house hub inc index institute island
    islands job key keys knife lake lamp lamps lane law laws limited line llc loaf ltd matrix method mill model module
    number office oven ovens park pipeline plant plate plates platform plc plot plug principle program programme
    project razor region release ring river road sa sarl sas scale school screen screw screwdriver screws server shop
    site socket sons square standard station store street terminal test theorem tower town tube university valley
    valve version warehouse week works wrench
""")
"""What follows a name that names a thing: a law, a street, a firm, a tool."""

PLACES_BEFORE = _set("""
    cape fort lac monte lake mount new port rio saint sainte san sankt santa santo sao sint st st. villa
""")
"""What stands before a name that names a place."""

NOBODY = _set("""
    abuse accounts admin alert alerts all bestellung billing bookings bot build care channel ci contact data demo
    deploy desk dev everyone feedback finance group hello help helpdesk here hr info invoice invoices it jobs kontakt
    list lists mail marketing monitoring news newsletter no noreply office oncall ops order orders parts payroll
    people planning post postmaster press quality reception reply returns root safety sales security service shop
    staff status support team test user users webmaster
""")
"""Addresses and handles of nobody in particular."""

NUMBERED = _set("""
    appendix class fig figure model no nr option part section step table type zone
""")
"""What a lone letter numbers: “Fig. A. Smith” is no person."""

MINDS = _set("""
    apologised apologized believed forgot misheard misread misunderstood remembered thought
""")
"""What shops and machines, which may “ask” and “say”, do not do."""

ACTS = SAYS | _set("""
    booked borrowed brought carried checked closed cut emptied fetched filled found gave kept lent lifted locked made
    moved now offered opened packed picked poured put read rewrote sent signed spilled swapped switched took tried
    turned typed unplugged waited wiped wrote
""")
"""What somebody does whose name begins a sentence: of a thing it would be said with an article."""

WORKERS = KIN | _set("""
    accountant analyst apprentice baker buyer carer cashier chef cleaner clerk cook developer driver electrician guard
    guy janitor joiner lad mechanic nurse operator packer picker plumber porter receptionist steward student temp
    tester trainee welder
""")
"""What stands beside a name and tells whose: "Mark the new porter"."""

OPENERS = _set("""
    a after all and at before both but for he i if in it my next no nobody not now on one our she so that the then
    there these they this those to two we what when where with you
""")
"""What begins the next sentence after a lone letter, and no surname: "Flat A. We rang"."""

INSIDE = _set("""around in inside near outside within""")
"""Before a given name they tell a town of that name."""

BRANDS = _set("""
    astonmartin auntjemima barnesnoble benjerry blackdecker calvinklein charlesschwab elizabetharden
    ernstyoung esteelauder fortnummason goldmansachs harleydavidson helenarubinstein hugoboss jackdaniel jackjones
    jackwolfskin jimbeam johndeere johnlewis johnniewalker johnsonjohnson jpmorgan levistrauss marksspencer marykay
    mcafee mcdonald mcdonalds mckinsey merrilllynch morganstanley oscarmayer philipmorris proctergamble ralphlauren
    rollsroyce smithwesson stellaartois tommyhilfiger uncleben wellsfargo
""")
"""Firms and goods that are called as people are, written as one word."""
