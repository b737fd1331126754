"""Words that a check of names needs: given names of many places, words that are names too, what stands beside them.

All are folded as `names.fold` does: no capitals, no accents. The names of
people who are here are not among them: those come from the directory.
"""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


GIVEN = _set("""
    aarav aaron abayomi abbas abby abdallah abdelaziz abdelkader abdul abdulaziz abdullah abdulrahman abebe abel abena
    abigail abiodun abraham achieng achim adaeze adaku adam adama adamos adanna ade adebayo adel adela adelaide adele
    adeola adesola adil adina aditi aditya adjoa adnan adrian adriana afia afua agathe agnes agnieszka agung agus
    ahmad ahmed ahmet ahyoung aidan aigerim aiko aileen aino ainur aisha aissatou aitor ajay ajit akane akash akello
    akemi aki akihiro akiko akinyi akio akira akosua akram akshay akua alain alan alba alban albane albena albert
    alberto aldo alec alejandra alejandro aleksandar aleksander aleksandra aleksei aleksey alemayehu alena alenka
    alessandra alessandro alessia alex alexander alexandra alexandru alexei alexis alfons alfonso alfred alfredo ali
    aliaksandr alice alicia alina alireza alison aliya allison alma almas alois alok alonso althea alun alvaro alyssa
    ama amadou amaia amal aman amanda amani amar amara amaru amaury amelia amelie amin amina aminata amir amira amit
    amitabh amol amparo amr amy ana anabel anahit anais anan anand ananya anas anastasia anastasija anatoly anca
    anders andi andre andrea andreas andrei andrej andres andrew andrzej andy anezka angel angela angeles angelica
    angharad angus anh anil anita anja anjali anke ankit ankita ankur ann anna annabel annalisa anne annegret anneke
    annelies annette annie annika anselm anthony antje antoine antonella antonello antoni antonia antonin antonio
    antony anu anupam anuradha anwar aoi aoife aparna apolline araceli aram ararat arash archana archie ardalan ariana
    arieh ariel arif arisara arjen arjun arkady arlette armand armando armen armin arnaud arnav arne arnold aroha
    artem arthur arturo arun aruna arvind arwa asad asami asante asela asha ashenafi ashish ashley ashok ashwin asif
    asma asmamaw astrid asuka asuncion ataahua atahualpa atanas atefeh ato atsuko atsushi aude audrey augustin aurelie
    aurelien aurelio aurora avi avinash aviva avraham awa awino axel ayaan ayaka ayako ayana ayesha aylin ayman
    aymeric ayo ayodele ayse ayu ayumi ayush aziz azlan aznan azra azubuike babajide babak babatunde baerbel bahar
    bahram bakary balaji bambang bao baolin baptiste baran barasa barbara barbora barry bart bartosz bas basim basma
    bastien bayani beata beate beatrice beatriz becky begona behnam behrouz bela belinda ben benedict benito benjamin
    benoit berangere berhanu berk bernadette bernard bernardo bernd bernhard bernie bert bertha bertram bertrand beth
    bethany bettina betty beverley bhavana bhavesh bhavna bianca bibek bilal bina binh binta birgit birte birtukan
    bishnu bjorn blagoj blaise blanca blanka blazej bobby bogdan bogna boguslaw bohdan bohumil bojan bolat boleslaw
    bonnie boram borislav boubacar brad bradley bram brandon branislav branko brenda brendan brian bridget brigitte
    bronislaw bronwyn bruce bruno bryan budi bukola bulent burak burkhard bwalya byung byungho caetano cairbre caitlin
    callum calvin cameron camila camilla camille candela caoimhe capucine carl carla carlo carlos carlota carmelo
    carmen carole caroline carsten catalina catarina catherine cathy cecile cecilia cecilio cedric cees celia celine
    cem cemal ceren cesar cezary chad chaewon chaim chaiyong chaminda chana chanda chandra chandran chantal charlene
    charles charlie chau chenxi cheryl chetan chiamaka chiara chidi chidinma chie chihiro chika chimwemwe chinedu
    chinelo chinonso chinwe chioma chipo chitra chiyo chloe chris christa christel christian christiane christina
    christine christoph christopher chukwudi chukwuma chulsoo cian ciara ciaran cigdem cindy citra claire clara
    clarence clarisse claude claudia claudio claus clemence clement clive clotilde coen colette colin colleen colm
    concepcion concetta concha connor conor conrad constance consuelo cor coralie corazon corentin corinne cornelia
    cosmin costin craig crisanto cristian cristina cristobal csaba cuong curtis cynthia cyril cyrille czeslaw daan
    daeho daehyun dagmar dagny daichi daiki daisuke dalia dalibor dalisay damian damiano damien damir dana danica
    daniel daniela danielle danilo daniyar danny danuta daphne daria dario dariusz darja darren darya datu dave david
    davide davit dawit dawson debbie debora deborah declan deepa deepak deepika deirdre delphine demba denis denisa
    denise deniz dennis derek dermot derya desislava desmond desta detlef devika dewi dhruv diallo dian diana diane
    dianne didem didier diego dieter dietmar dilip dilshan dilys dina dinara dinesh diogo dirk dirkje divya diyar
    djibril dmitri dmitry dobromir dohyun doina domenico domingo dominic dominique donald donatella dongho donghyun
    donna doreen doris dorji dorota dorothea dorothy doug douglas dov dragan dragana duarte duc duncan dung dusan
    dylan eamonn ebele eberhard ebru ebuka ece eckhard eddie edeltraud edgar edita edith edmund edoardo edouard
    eduarda eduardo edward edwin eero efrat efua egon ehsan eija eiji eiko eileen eilidh eitan ekkehard eko ekow elad
    elaine eleanor elena elfriede elham eli elia eliana eliane eliezer elif elina eline elisa elisabeth elisheva
    elizabeth elke ella ellen elliot elodie eloise els elsbeth elsie elvira elzbieta emeka emel emiko emil emilia
    emilija emilio emily emine emir emma emmanuel emmanuelle emrah emre encarna enes engin enrico enrique eoin erdal
    erdem erhard eric erica erich erin erkan erkki erlan ermanno ernest ernesto ernst erwin esa eshe esi esperanza
    esra esteban estelle esther ethan etienne etsuko eugen eugene eugenie eugenio eunbi eunhye eunice eunji eunju
    eunkyung eva evan eve evelyn ewa ewald ewan ewelina eyup ezio fabien fabienne fabio fabiola fabrice fabrizio fadi
    fahad faisal fanny fanta farah farai farhad farhan farid farida faris farooq farouk faruk fatemeh fatih fatima
    fatma fatou fatoumata faustine fearghal federica federico fedor fei felicie felipe felix femi femke ferdinand
    fergus ferhat fernand fernanda fernando feyza fikile filip filipa filippo finlay finn fiona fionnuala firas fitri
    flavia flavio floor florent florian florin floris folake fouad frances francesca francis francisca francisco
    franco francois francoise frankie frantisek franz franziska frauke fred frederic frederick friederike friedrich
    fritz fumiko fumio funda funmilayo gabor gabriel gabriela gabriele gabriella gael gaelle gaetan gaetano galina
    galip gamal ganesh gareth gary gaston gathoni gaurav gautam gavin gayane gayatri gede geert geeta gemma genevieve
    gennady geoff geoffrey georg george georgi georgios gerald geraldine gerard gerardo gerd gerda gergely gerhard
    gerlinde germain gernot gerrit getachew gethin ghada ghassan ghenadie gheorghe ghislaine giacomo giang gianluca
    gianni gideon gift gijs gilad gilbert gilles gillian gina gioia giorgi giorgia giorgio giovanna giovanni girish
    girma gisela gita giulia giuliana giulio giuseppe giuseppina gladys glenda gloria gokhan goksu gonzalo gopal goran
    gorazd gordon goro gottfried govind graca graciela graeme graham grainne grazyna greg gregoire gregor gregorio
    gregory greta gretel grzegorz guadalupe guang guanghui gudrun guenter guenther guido guilhem guillaume guillermo
    gulay gulnara gulsen gunhild gunnar gunter gunther gustav gustavo guus gwen gwenaelle gwendoline gwyneth gyorgy
    gyuri habib hadar hadas hadi hadiza haeun hafiz hafsa haider haile hajime hakan hakob hakon hala halil halima
    halina halvard hamid hamish hamisi hamza hana hanako hanan hanbyul hanh hani hanna hannah hanneke hannele
    hannelore hannes hanno hannu hans haoran haoyu harald hari harish harold haroon harriet harrison harsh harsha
    hartmut haruka haruki haruko haruto hasan hassan hatice hauke haya hayoon heba hector hedwig heejin heesun heide
    heidi heike heikki heiko heiner heinrich heinz helen helena helene helga helge helina hella helmi helmut heloisa
    hema hemant hemi hendra hendrik henk henning henri henrik henry henryk herbert hermann hernan herve hicham hideki
    hideko hideo hieu hikaru hilal hilde hildegard hilke hinata hind hine hinemoa hippolyte hiro hiroaki hiroki hiroko
    hiromi hiroshi hiroto hiroyuki hisako hisashi hisham hitomi hitoshi hoa hoang hojin holger homa hongwei honoka
    honore horst hortense hossein howard hristo huan hubert huda hugh hugo huguette huilin hulya huong huseyin hussain
    hussein huy hyejin hyeon hyeri hyojin hyunjin hyunjoo hyunwoo iain ian ibolya ibrahim ibrahima ichiro idan idris
    ifan ifeanyi ifeoma ifunanya ignacio igor ihaia ikenna ilan ilaria ileana ilie ilja ilka ilkka ilona ilse iman
    imani imke immaculada imogen imran imre inacio indah indira ineke ines inge ingeborg ingo ingrid ingunn inho inhye
    inka inmaculada ioan ioana ioannis ion ionut irakli irena irene ireneusz irfan irina iris irma irmgard isaac
    isabel isabella isabelle isamu isao isha ishaan isidro isla ismail isolde issa istvan itai itumelo itziar iulian
    ivan ivana ivanka ivaylo iveta ivo iwona izabela izumi izzat jaap jabari jaber jabu jacek jackie jacob jacqueline
    jacques jadranka jadwiga jaehyun jaemin jaewon jafar jagdish jaime jake jakob jakub jalal jamal james jamie jamila
    jan jana jane janet janice janina jannes jannik janos janusz jared jarek jari jarmo jaroslav jaroslaw jasmine
    jasna jason javad javier jaya jayesh jayshree jean jeanne jeannine jeff jeffrey jejomar jelani jelle jenna
    jennifer jenny jens jeremy jeroen jerome jerry jerzy jesper jesse jessica jesus jiahui jianguo jiaxin jie jieun
    jihee jiho jihoon jihye jihyun jill jimin jing jingwen jinho jinhua jinlong jinwoo jiri jirina jiro jisoo jisung
    jitendra jitka jiwon jiwoo jiyeon jiyoung joachim joan joana joanna joanne joao joaquim joaquin jochen jodie joe
    joel joelle joep johan johann johanna johannes john johnny joke joko jolanta jonas jonathan joohyun joonho joost
    jordi jorg jorge jorgen joris jorma jorn jos jose josefa josefina joseline josep joseph josephine josette joshua
    josiane josue jovan joyce jozef jozsef juan juana judith judy juergen juha juhani juhee jukka jules julia julian
    julie julien juliet juliette julio juma junghoon junho junichi junjie junko junseo jurgen jussi justin justyna
    jutta jyoti kaarina kabir kacper kagiso kahurangi kai kaia kailash kaisa kaixin kalani kalle kalpana kamal kamala
    kamau kamil kamila kamran kana kanako kangmin kanika kanya kaori kaoru karan kareem karel karen kari karim karin
    karine karl karla karlheinz karolina karsten karthik kartik kasia kasim kaspar kasun katarina katarzyna kate
    katerina katharina katherine kathleen kathrin kathryn kathy katie katja kato katri katrin katsumi katya kaveh
    kavita kavya kay kazimierz kazuhiko kazuki kazuko kazuo kazuya kebede kees keiichi keiji keiko keisuke keita keith
    kekoa kelechi kelly kemal kemi ken kenichi kenji kenneth kenta kentaro keoni kerem kerry kerstin ketevan ketut
    kevin kgosi khadija khadim khaled khalid khalil khanh khoa kianoush kieran kilian killian kim kimberley kimiko
    kimmo kinga kipchoge kiprono kiran kiril kirsi kirsten kirsty kirti kishore kiyoko kiyoshi kjell klara klaudia
    klaus knut koen kofi koichi koji kojo komal konrad konstantin konstantinos kostas kosuke kotaro krishna krishnan
    kristian kristin krisztina krystyna krzysztof ksenia kumar kumiko kunal kurt kveta kwabena kwadwo kwaku kwame
    kwasi kwesi kyle kyoko kyungho kyungmi lachlan lada ladan ladislav laetitia laia laila lakshmi laleh lalit
    lamberto lamia lan lanying larry lars lasse laszlo lata laura lauren laurence laurent lauri lawrence layla lea
    leah leandro leanne lech lee leela leena leif leila leilani lela lenka leo leon leonard leonardo leonhard leonid
    leonie leonor leonore lerato leslie leszek leticia levan levent levin levon lewis leyla liam libor lidia lidija
    lieke lien liesel lieselotte lieve lifen ligaya ligia liisa liliana liling lillian lilou lina linda lindiwe
    lindsay lindsey lingling linh linnea lionel lior liping liqin lisa liwei ljiljana ljubica loan loic lois loredana
    lorena lorenz lorenzo lorine lorna lorraine lothar lotte louane louis louise lourdes lubna lubomir lubos luc luca
    lucas lucette lucia lucian luciana luciano lucie lucien lucienne lucinda lucjan lucy ludger ludivine ludmila
    ludovic ludovica ludwig luigi luis luisa luise luiz luiza lukas lukasz luke lulu lurdes lusine lutz luzviminda
    lwazi lydia lynn lynne lyudmila maaike maarten maayan mabel machteld maciej madan made madeleine madhavi madhu
    madhuri maelle maeve magda magdalena magdolna magnus maha mahdi mahesh mahmoud mahmut mai mairi maite maja makana
    makena maki makoto maksim malak malcolm malee malgorzata malia malik malika malini mallika malte mamadou mami
    mamta manabu manaia manar mandla mandy manfred manish manisha manjula manoj manolo manon mansour manuel manuela
    marat marc marcel marcela marcelle marcelo marcia marcin marco marcos marcus mareike marek margaret margareta
    margarete margarida margarita margaux margit margot marguerite maria mariam mariama marian mariana marianne
    mariano maribel marie marieke mariele marija marijke marika marikit mariko marilyn marina mario marion marisa
    marisol marit marius marja marjorie marketa markku marko marlene marlis marloes marta martha martin martina
    martine martyna marvin marwa marwan mary maryam marzena masaaki masahiro masaki masako masao masaru masashi masato
    masayuki masego massimo matej mateo mateusz mathew mathias mathieu mathilde matilda mats matt matteo matthew
    matthias matthieu matti maud maui maureen maurice mauricio maurizio mauro maxim maxime maximilian mayu mayuko
    mayumi mbali mechthild meena meenakshi megan megha megumi mehdi mehmet mehran mehul meihua meike meiling meinhard
    meir mekonnen melanie melchior mele melek melisande melissa meltem menachem mercedes mere merja merle merve meryem
    meseret mesut mette mhairi micaela michael michaela michail michal michelle michiko mick midori mieczyslaw mieko
    miguel mihaela mihai mihail mihir mijin mika mikael mike mikhail mikko mikolaj milada milagros milan mildred
    milena milind milos miloslav milton mina minako minal mingming mingyu minh minho minjae minji minjun minkyu minna
    minoru minseo minsoo mio miranda mircea mireille mirella miriam mirjam mirko miroslav miroslava misaki mitra
    mitsuko mitsuru miwa miyuki mizuki mladen modou moe mohamed mohammad mohammed mohan mohit mohsen moira moises
    molly momoko mona monica monika monique monserrat montse mordechai morgan morgane moritz morten morteza moshe
    mostafa motoko mourad moussa mpho muhammad muhammed mukesh mulugeta mumbi munir murali murat muriel murray musa
    mustafa muthoni mutua mwangi mylene myungsoo nabil nabila nacho nada nader nadezhda nadhirah nadia nadim nadine
    nadir nadja naftali nagesh nagisa nahid najla nakato naledi nam namjoon namrata nana nanami nancy nandini nao
    naoki naoko naomi naoya narek narendra naresh narges nargis nasrin nasser natalia natalie natalija natalya natasha
    nathalie nathan natsuki natsumi nattapong naveen navid navin nawal nazanin ndidi nebojsa neelam neeraj neha neil
    nell nelson nenad nerea nesrin nestor nevena nevin nga ngaire ngan ngoc ngozi nguyet nhung niamh nicholas nicola
    nicolas nicole nicolo nidhi niels nigel nihal nikau nikhil nikita niklas niko nikola nikolai nikolaos nikolay
    nikos nilesh nils nilufar nimal nina nino nir niran nirmala nisha nishant nitin nizar njeri njoroge nkechi
    nkosazana nnamdi nneka noa noah noam noboru noel noelia noemie nomsa nomvula noor nora norbert noriko norio norman
    nour nozomi ntombi nuala nune nuno nuray nurcan nurhaliza nuri nuria nursultan nurul nuwan nyambura nyokabi nyoman
    oana oanh obinna octavio oda odette odile ofelia ofir ohad oisin oksana olaf olav ole oleg oleh oleksandr olena
    olga oliver olivia olivier olli oluchi olufemi olumide oluwaseun omar omer omondi ondine ondrej onur onyeka orhan
    oriol orla orly ornella osama osamu oscar oskar osman osvaldo oswald otmar ottilie otto oumar ousmane outi ove
    owen oxana ozge ozgur ozlem paavo pablo paco padma padraig paivi palesa pallavi paloma pamela pamisa panagiotis
    pankaj paola paolo parag parisa parul parvati parvin pascale pascual patricia patricio patrick patrik patrizia
    paul paula pauline paulo pavel pavla pavol pawel pedro pekka pelin pema pengfei pentti pepe percy petar peter
    peteris petr petra petri petros phil philip philipp philippa philippe phoebe phuc phuong phyllis pia pierre pieter
    pilar pinar piotr pirkko piroska placido ploy polly pooja pornthip prabhu prabin pradeep prakash pramod pranav
    prasad prasert prashant pratik pratima praveen predrag preeti prem priscilla priti priya priyanka przemyslaw
    purnima pushpa putu qiang qing quang quentin quoc quyen quynh rabia rachael rachel rachid radek radha radhika
    radka radoslaw radovan radu rafael rafaela rafal raffaele rafiq raghad raghav raghu ragnar ragnhild rahim rahma
    rahul raija raimundo rainer raisa raj raja rajan rajani rajeev rajendra rajesh rajiv raju rakesh ralf ralph ram
    ramesh rami ramin ramiro ramon rana rangi rani rania ranjit raoul raphael raquel rasha rashid rashmi rastislav
    ratko ratna raul ravi ravindra raymond raymonde razan rebecca reem reena reginald regine regis reidar reijo reiko
    reiner reinhard reinhold rekha remedios remi remy ren renata renate renato renaud rene renee rens renu renuka reza
    rhona rhys ricarda ricardo riccardo richa richard ridvan rie rika rikke riko rima rin rina risto rita ritu ritva
    rivka riyad rizki robert roberta robertas roberto robin rocio roderick rodney rodolfo rodrigo roel rogelio roger
    rohan rohini rohit roisin roland rolf roman romana rommel ron ronald ronen ronit roque rory rosa rosalia rosalind
    rosana rosario roselyne rosemary roshan roshni rosli ross rossana rossella rowena roxane roy roya rozalia ruairi
    ruben ruchi rudi rudiger rudo rudolf ruediger rui rune rupa rupert ruprecht ruslan russell ruth ruud ryan ryo
    ryohei ryoko ryosuke ryota ryszard ryuichi saad saara sabah sabina sabine sabrina sachiko sachin sadia sadio saeed
    safa sahil said saida sakari sakura salah saleh salif salim sally salma salvador salvatore sam samantha samar
    samba sameer sameh samer sami samir samira samuel sana sanaa sanath sancho sandeep sander sandhya sandor sandra
    sandrine sandro sandun sanghoon sanja sanjana sanjay sanjeev sanna sanne santosh saoirse sapir sara sarah sarika
    sarita saskia satish satoko satomi satoru satoshi satu saule saverio savita sayaka sayuri scott seamus sean
    sebastian seda sedat seema sefako segun seiji sekou selim selin semra seohyun seojun seoyeon seppo serdar serge
    sergei sergey sergi sergio serhii serkan setsuko seulgi seungho seungmin severine severino sevgi seydou shadi
    shafiq shahid shahin shahrzad shai shailesh shalini shane shankar shannon shanta shanti shaoming sharad sharmila
    sharon shashi sheela sheila sherif shigeo shigeru shilpa shin shinichi shinji shinobu shiori shira shirin shirley
    shiva shizuka shlomo shmuel sho shobha shohei shoko shota shreya shruti shuang shubham shufen shunsuke shweta sian
    sibel sibusiso siddharth sidney siegfried sieglinde siew sigmund sigrid sigurd silje silke silvana silvia silvio
    sima simba simon simona simone sina sindiswa sinead sini sinisa siobhan sione siphiwe sipho siri siriporn siti
    siya siyu sizwe sjoerd slamet slavica slavko slawomir slobodan smita sneha soeren sofia sohee soheil solange
    soledad solene solomon solveig somchai somsak son sonal sonia sonja sooji soojin sooyoung sophia sophie sora
    soraya sorcha soren sorin sota spyros srdjan sri srinivas sriram stacey stan stanislav stanislaw stanley stavros
    stefan stefania stefanie stefanos steffen stella stellan stephane stephanie stephen steve steven stewart stig
    stjepan stuart sture subhash suda sudha sudhir suhail sujata sujin sukarno sukru suleiman sultana suman sumaya
    sumiko sumit sungho sungmin sunil sunita supachai suraj suresh surya susan susana susannah susanne sushil sushila
    sushma susumu suzanne svein sven svenja svetlana swantje swapna swati sybille sylvain sylvia sylvie sylwia szymon
    tadashi tadeusz tadhg taehyung taeyang tafadzwa tafari taha tahir taichi taiki taina takahiro takako takao takashi
    takayuki takeo takeshi takuma takumi takuya tal talal tam tama tamaki tamar tamara tamas tamer tamika tane tanja
    tanvi tanya tapio tapiwa tara tarek tariq tariro tarja taro tarun tatiana tatjana tatsuo tatsuya tatyana tavita
    tayfun taymour ted teemu tejas temitope tendai tenzin teodoro terence teresa tereza terhi tero terry tessa tetsuo
    tetsuya teun tevita thabo thandeka thandi thandiwe thanh thao tharindu thelma themba theo theodore theodoros
    theresa thi thibault thibaut thierry thijs thilo thinh thomas thor thorsten thu thulani thuy tiago tianyi tibor
    tichaona tien tigran tihomir tiina till tillmann tilman tim timea timo timothy timur tina titilayo tiziana tjeerd
    toan tobias toby todd toivo tolga tom tomas tomasz tomislav tommaso tommy tomohiro tomoko tomomi tomos toni tony
    tor torben torbjorn tore torsten toru toshiko toshio tova tove tracey tracy trajan tram trang traudl trevor tri
    trine trinh trish truc trung truus tsegaye tsehay tsubasa tsuyoshi tsvetan tuan tugba tui tuija tumelo tuncay
    tunde tung tuula tuva tuyet tyler tyra tzipora tzvi uche uchenna uday udo ufuk ugo ugochi ugur ulf uli ulla ulrich
    ulrike uma umar umberto umesh umit una unathi uri urmila ursel ursula urszula usama usha usman ute uwe vaclav
    vadim vaibhav vaino valentin valentina valentine valentyna valeria valerie valery van vandana vanessa varsha varun
    vasant vasil vasile vasiliki vasudha vasyl veena veikko veit venkat venkatesh vera verena vernon veronica
    veronique vesa vesna vicente vicky vidya viera viet vijay vikas vikram viktor viktoria viktorija ville vilma vimal
    vinay vince vincent vincenzo vineet vinh vinod violet violeta viorel vipin virginia virginie vishal vitaly vitor
    vittoria vittorio vivek vivian vivienne vlad vladimir vladislav vlasta vojtech volkan volker volkmar volodymyr
    waclaw wael wafa wahyu wairimu walburga waldemar walid walter waltraud wambui wanda wangari wanjiku wanjiru wanza
    warren wasim wataru wayan wayne weijie weiming wekesa wendy wenhao wenjie wenjing werner wesley wichai wiebke
    wieslaw wieslawa wietske wilfred wilhelm wilhelmine willem willemijn william wilma wim winfried winnie winston
    wiremu witold wladyslaw wojciech wole wolf wolfgang wolfram woojin wouter xabier xaver xavier xiaodong xiaofeng
    xiaohong xiaojun xiaolin xiaoling xiaoming xiaoyan ximena xinyi xinyu xiuying xoan xuan xuemei yaa yaakov yael
    yahya yair yanling yann yannick yanping yanti yanyan yara yaroslav yasemin yash yasin yasir yasmin yasmine
    yasuhiro yasuko yasuo yavuz yaw yehuda yejin yelena yemi yen yeonju yetunde yevgeny yichen yifan yigal yihan yijun
    yildiz yilin yiming yitzhak yngve yoav yogesh yohannes yoko yolanda yonatan yoonji yoshiko yoshio yossi yosuke
    youko younes youngho youngjae youngmi yousef youssef yousuf yuchen yudi yuhan yui yuichi yuji yujin yuka yukari
    yuki yukiko yukio yuko yulia yuling yumi yumiko yunus yuri yusuf yusuke yuta yutaka yuting yuto yutong yuya yves
    yvette yvon yvonne zachary zahra zainab zakaria zaki zanele zara zawadi zaza zbigniew zdenek zdenka zehra zeinab
    zeki zelie zeynep zhanna zhenyu zhihao zhiqiang zhiwei ziad zihan zinhle ziv zixuan ziyi zlata zlatko zodwa zoe
    zofia zola zoltan zoran zsofia zsuzsanna zulkifli zuri zuzana zygmunt
""")

WORDS = _set("""
    able ace acre ada adler aime alba alexa alexandria ali alias allen alma alt am amal amazon amber ami an ana angel
    anh ann apollo april arch archer are art as ash asia aspen at ate athena atlas august aura aurora austin autumn
    axe bach bailey baker ball ban bank banks bar barbe barber bark barn barrow bat bau bauer bay be beach bean bear
    beck bell belle ben berg berger berlin berry bert best bethlehem bien bill binh birch bird bishop bit black blanc
    blanca blanche blaze block bloom blossom blue bluetooth bo bob bolt bon bond bonne bonnie booth bosch boston bow
    bowl bowman boy branch brand braun bread brick bridge bridges briggs bright bristol brook brooklyn brooks brown
    brun buck bud buddy bull burn burns bus bush but butcher butler butter by cam camden can candy cane cannon canton
    car card care carol carolina carpenter carr carry carter carver case cash cassandra castle catania ceres chad
    chance chandler charity chase chelsea chennai cherry chester cheyenne chi chin china chip chips chord christian
    christians church city claire clarity claude clay clement click cliff close cloud coach coast cobb cold cole
    coleman cologne colon comfort como con confluence constance constant cook cool cooper cope cor coral corn cot
    count court cox craft crane crisp crispin cross crystal cuba cure curry da daily dakota dale dallas dan dance dang
    dash dat data date dawn day days de deacon dean dear debian deed delhi dell delphi dem den denver der derby des
    desire destiny devon dew di dial diamond dian dick did die diesel dill dim din dip do dock docker doll dolly
    dolores don door dos dot dove drake draper drew driver drum du dublin duke dune dung duo dutch earl early east
    easter eclipse eden eight eko elder ella ember emmy end engel english ernest ernst essen eta eve evening ever
    every excel fair faith falke fall fan fanny far farmer favor fay fee feld fen fern fest few field fields fin finch
    fine finn fire first fischer fish fisher five flag fleet fletcher flint floor flora florence florida flower
    flowers foot for force ford forest forge forrest fort forth foster fountain four fox franc frank free freeman
    freight freitag french freya from frost fry fuchs fuller fun gale gall gantt gap gardener garland garner garnet
    gates gauss gem gene geneva genoa gentle georgia get gift gill ginger git glass glen glenn glory glover go gold
    golden good got grace grafana grand grant graves gray green grenada grey griffin gross grove guide guy had hahn
    haifa hale hall ham hamburg hammer han hand handy hank happy harbor hardy harmony harp harper harry hart harvest
    has hat havana have haven hawk hay hazel hazy he head heart heath heather heaven hedge heide helm her herb herbst
    herd here heritage hermes hi high hill him hint his hit ho hoa hold holly home honda honey hong honore hood hook
    hop hope horn hot hour house houston how hub hue hug hull hum hung hunt hunter ice idea ideal if imani in indah
    india indiana ink into ion ireland iris iron is isle israel it its ivory ivy jack jade java jay jean jenkins
    jersey jet jewel jewels jim job jolly jordan josh joy juan jubilee judge juice julia july jump jun june jung
    junior junk jupiter just juste justice kafka kai kaiser kay keen keep kelvin kent kenya key kiel kim kin kind king
    kit kite klein knight know koch koenig kotlin kurz la lace lake lamb lan lancaster lance land lane lang lange lark
    lass last laurel lavender law lawn lay le lea lead leaf led lee leeds lemon lent less let level liberty lid lie
    lien light like lila lilac lille lily lim lima lin lincoln linde linden line link linux lion lip lisa list little
    live lo load loan lock loki london long look lord lore lorraine los lot lots lotus lourdes love low lucerne luck
    lucky lulu luna lune lynx ma mace mack made madison mag magic mai maiden mail main major make male mali malta man
    manila manor many map maple mar marble marcel march marche mare maria marina maris mark marker marks marsh marshal
    marshall martial mason master mat mate matin matte max may me mead meadow meadows mean mei meister melbourne
    melody melon memphis mercedes merchant mercurial mercury mercy merit merry mike milan miles milk mill miller mills
    min mina mine minerva minsk mint mio miracle misty mix moe mole mona monaco monday monk montag montana month
    montreal moon moor moore more moritz morning mosquitto moss most mount mu much mud mueller munich murphy muslim
    mustard my myrtle nam name nan nap nas navy nay neat need neptune net nevada never new newman next nice nick nile
    nina no noble nod noel none noon nor nora north not note nova novel now nun nurse nut oak oakley ocean odessa odin
    of off often oh oil old ole olive on once one only opal open opt or orange order orion oscar osier oslo other our
    out outlook over owl own oxford pace packer padua page paige paint palm palmer pan pansy pareto parfait paris park
    parker parks parma parson part pascal past pat patience patient paw pay paz pe peace peach pear pearl pen penny
    pepper per perch perry persia person petal petra pharaoh philadelphia philips phillips phoenix pi pike pin pine
    ping piper pit pitt plain plan plum plus pluto ply pole pond pong pool poole pope poppy port porter porto post
    postgres pot potter pound power powers praise precious press preston price pride prime prince princess prior
    prosper prudence pub purple put python qua quang que queen quick quinn quite radar rain rainbow raja ram ramp ran
    randy range ranger rani rap rasa rather raven raw ray read ready real red reed reef reese reeve regina regis reign
    rein remedy ren rene reno reset rest rex rice rich riches richmond rig riga right rim ring rio rip ripple rise
    river rivers road rob robe robin rock rocky rod roll rollo roma roman rome ron roof rook root rope rosa rose
    rosemary rosie rot roth round row rowan royal ruby ruff rug rule run rush russet rust rusty rye sable sad saddler
    saga sage said saint sake salem sally salt sam same samstag sand sandra sands sandwich sandy sang sanna sans
    santiago santos sapphire sara sasha sat saturn savage savannah savona saw sawyer say scala scarlet schema schmidt
    schneider school schwarz scout sea seal season seda see selin sema sen send serene serenity sergeant set seven sew
    shade shadow sharepoint sharp shaw she sheffield shell shepherd shield shift shin shine shore short show shu side
    siemens siena sierra silk silver sim sin sina since singer sinter sir siri sit six ski skip sky slack slate sleep
    sloan small smart smith smoke snow so sofia sol soldier solo some sommer son sonar song sonntag soon sort soul
    south soy spark spear speed spencer spice spring spruce square sri stable stacy staff stage stanley star stark
    starling steel steele stein stella sten step sterling stern stew steward stewart stig still stock stone storey
    storm story stout straw stream street strong stuttgart su sub such sue suede sugar sum summer summers sun sunday
    sung sunny sure swan sweet swift sydney table tad tae tag tai tailor taker tam tan tang tanner tao tap tar tat
    tate tau taylor tea teal teams tell temper temple ten term texas than that their them then there these they thin
    thing third this tho thor thorn those three thu thy thyme tic tide tie tiger till tim timber time tin tina tiny
    tip tirana titan to today toe tom ton toner tong tony too took top tor tours tower town trace track tram traveller
    tray treasure trento tres tri trinity trip trout troy true truman trust try tu tuesday tung tunis turin turn
    turner tweed two tyler tyrol ubuntu ulm un una under union unit until up upton urban uri us use usman vale
    valencia valentine valletta valley van vane vault veil venture venus vera verity vernal verona very vesta vi vice
    victor victoria victory vienna view villa vine viola violet virginia virtue vision vista vita viva vo vogel von
    wade wait wald walk walker wall wallace waller walls wally wan want ward warden ware warm warner warsaw was wash
    washington waste watch water waters watson watt watts wave wax way wayne we weaver web webb weber webster
    wednesday week weeks weir weiss well wellington wells wen were west weston wet what wheat wheel wheeler when where
    which while white who whole why wilde will willow wim win wind windsor wine wing winner winter winters wise wit
    with without witness woe wolf woman won woo wood woods woody wool word worth would wow wren wrench wright yale
    yang yann yard year yen yes yet yon york you young your yours yu zara zen zeus zip zola zone
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
    dhr doktor dott dottoressa dr fr frau herr hr madame mademoiselle meneer mevr mevrouw miss mlle mme monsieur mr
    mrs ms mx pan pani prof professor senor senora senorita signor signora signore sir sr sra
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
    bv cafe channel chart charts city cluster coast college company connector constant county court curve cycle
    database day degrees depot diagram distribution effect equation foundation gmbh group hall harbor harbour hardness
    hill hospital hotel house hub inc index institute island islands job key keys knife lake lane law laws limited
    line llc loaf ltd matrix method mill model module number office oven ovens park pipeline plant platform plc plot
    plug principle program programme project razor region release ring river road sa sarl sas scale school screen
    screw screwdriver screws server shop site socket sons square standard station store street terminal test theorem
    tower town tube university valley valve version warehouse week works wrench
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
