"""Words about tasks for templates that are not this room's own, such as the home page."""

from django import template

from immersive.work import tasks

register = template.Library()
register.filter("next_step", tasks.next_step)
