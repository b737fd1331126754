from django.urls import path

from immersive.work.views import asks, card, mirror, recall, reminders, sharing, tasks

app_name = "work"
urlpatterns = [
    path("", tasks.mine, name="list"),
    path("new", tasks.new, name="new"),
    path("mirror", mirror.mirror, name="mirror"),
    path("delete", mirror.delete_all, name="delete-all"),
    path("download", mirror.download, name="download"),
    path("reminders", reminders.wishes, name="reminders"),
    path("recall", recall.today, name="recall"),
    path("recall/<uuid:recall_id>/grade", recall.grade, name="recall-grade"),
    path("recall/<uuid:recall_id>/delete", recall.drop, name="recall-drop"),
    path("colleagues", sharing.colleagues, name="colleagues"),
    path("shared/", sharing.with_me, name="shared-list"),
    path("shared/<uuid:task_id>", sharing.shared, name="shared"),
    path("<uuid:task_id>/", tasks.task, name="task"),
    path("<uuid:task_id>/assessment", tasks.assess, name="assess"),
    path("<uuid:task_id>/change", tasks.change, name="change"),
    path("<uuid:task_id>/lean", card.lean, name="lean"),
    path("<uuid:task_id>/again", card.again, name="again"),
    path("<uuid:task_id>/choose", card.choose, name="choose"),
    path("<uuid:task_id>/ask", asks.ask, name="ask"),
    path("<uuid:task_id>/plan", card.step, name="plan"),
    path("<uuid:task_id>/beside/<uuid:resource_id>", card.beside, name="beside"),
    path("<uuid:task_id>/outcome", tasks.outcome, name="outcome"),
    path("<uuid:task_id>/recall", recall.write, name="recall-write"),
    path("<uuid:task_id>/later", reminders.later, name="later"),
    path("<uuid:task_id>/share", sharing.share, name="share"),
    path("<uuid:task_id>/share/back", sharing.take_back, name="share-back"),
    path("<uuid:task_id>/delete", tasks.delete, name="delete"),
]
