"""Words and drawings of tasks for templates, also those that are not this room's own, such as the home page."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from immersive.work import plan, reminding, tasks
from immersive.work.card import GLYPHS
from immersive.work.routes import Route

register = template.Library()
register.filter("next_step", tasks.next_step)
register.filter("asked_since", reminding.when)
register.simple_tag(plan.asked_from)


@register.simple_tag
def glyph(route: str, size: str = "") -> SafeString:
    """The sign of a route, hidden from screen readers; ``size`` is "" or "s". Its name stands beside it."""
    name = GLYPHS[Route(route)]
    extra = f" glyph-{size}" if size else ""
    sprite = static("immersive/icons.svg")
    use = '<svg class="glyph{0} r-{1}" aria-hidden="true"><use href="{2}#r-{1}"/></svg>'
    return format_html(use, extra, name, sprite)
