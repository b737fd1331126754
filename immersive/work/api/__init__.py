"""One's own work over HTTP, a module for each subject: included under ``/api/v1/`` by `immersive.api`.

Each address calls what the page of the same subject calls, for the account that asks. Whatever is somebody else's is
answered as what never was (404).
"""

from __future__ import annotations

from django.urls import path

from immersive.work.api import plan, tasks

urlpatterns = [
    path("tasks", tasks.Tasks.as_view(), name="api-tasks"),
    path("tasks/<uuid:task_id>", tasks.TaskView.as_view(), name="api-task"),
    path("tasks/<uuid:task_id>/topics", tasks.TopicsView.as_view(), name="api-task-topics"),
    path("tasks/<uuid:task_id>/assessment", tasks.AssessmentView.as_view(), name="api-task-assessment"),
    path("tasks/<uuid:task_id>/outcome", tasks.OutcomeView.as_view(), name="api-task-outcome"),
    path("tasks/<uuid:task_id>/card", plan.CardView.as_view(), name="api-task-card"),
    path("tasks/<uuid:task_id>/plan", plan.PlanView.as_view(), name="api-task-plan"),
]
