from django.urls import path

from immersive.work.views import tasks

app_name = "work"
urlpatterns = [
    path("", tasks.mine, name="list"),
    path("new", tasks.new, name="new"),
    path("mirror", tasks.mirror, name="mirror"),
    path("delete", tasks.delete_all, name="delete-all"),
    path("download", tasks.download, name="download"),
    path("<uuid:task_id>/", tasks.task, name="task"),
    path("<uuid:task_id>/assessment", tasks.assess, name="assess"),
    path("<uuid:task_id>/outcome", tasks.outcome, name="outcome"),
    path("<uuid:task_id>/delete", tasks.delete, name="delete"),
]
