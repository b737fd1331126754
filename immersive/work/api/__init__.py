"""One's own work over HTTP, a module for each subject: included under ``/api/v1/`` by `immersive.api`.

Each address calls what the page of the same subject calls, for the account that asks. Whatever is somebody else's is
answered as what never was (404).
"""

from __future__ import annotations

from django.urls import path

from immersive.work.api import card, experiments, lessons, mirror, plan, recall, reminders, sharing, tasks

urlpatterns = [
    path("tasks", tasks.Tasks.as_view(), name="api-tasks"),
    path("tasks/<uuid:task_id>", tasks.TaskView.as_view(), name="api-task"),
    path("tasks/<uuid:task_id>/topics", tasks.TopicsView.as_view(), name="api-task-topics"),
    path("tasks/<uuid:task_id>/assessment", tasks.AssessmentView.as_view(), name="api-task-assessment"),
    path("tasks/<uuid:task_id>/outcome", tasks.OutcomeView.as_view(), name="api-task-outcome"),
    path("tasks/<uuid:task_id>/card", card.CardView.as_view(), name="api-task-card"),
    path("tasks/<uuid:task_id>/plan", plan.PlanView.as_view(), name="api-task-plan"),
    path("tasks/<uuid:task_id>/plan/<str:step>", plan.StepView.as_view(), name="api-task-step"),
    path("tasks/<uuid:task_id>/reminder", reminders.LaterView.as_view(), name="api-task-reminder"),
    path("tasks/<uuid:task_id>/recall", recall.TaskRecallView.as_view(), name="api-task-recall"),
    path("tasks/<uuid:task_id>/shares", sharing.SharesView.as_view(), name="api-task-shares"),
    path("tasks/<uuid:task_id>/shares/<str:share>", sharing.ShareView.as_view(), name="api-task-share"),
    path("tasks/shared", sharing.SharedWithMe.as_view(), name="api-shared-list"),
    path("tasks/shared/<uuid:task_id>", sharing.SharedView.as_view(), name="api-shared"),
    path("colleagues", sharing.ColleaguesView.as_view(), name="api-colleagues"),
    path("teams", sharing.TeamsView.as_view(), name="api-teams"),
    path("recall", recall.Recalls.as_view(), name="api-recall"),
    path("recall/today", recall.TodayView.as_view(), name="api-recall-today"),
    path("recall/<uuid:recall_id>", recall.RecallView.as_view(), name="api-recall-one"),
    path("recall/<uuid:recall_id>/grade", recall.GradeView.as_view(), name="api-recall-grade"),
    path("reminders", reminders.RemindersView.as_view(), name="api-reminders"),
    path("mirror", mirror.MirrorView.as_view(), name="api-mirror"),
    path("mirror/log", mirror.LogView.as_view(), name="api-mirror-log"),
    path("lessons", lessons.Lessons.as_view(), name="api-lessons"),
    path("lessons/names", lessons.NamesView.as_view(), name="api-lessons-names"),
    path("lessons/<uuid:lesson_id>", lessons.LessonView.as_view(), name="api-lesson"),
    path("lessons/<uuid:lesson_id>/withdraw", lessons.LessonBackView.as_view(), name="api-lesson-withdraw"),
    path("experiments", experiments.Experiments.as_view(), name="api-experiments"),
    path("experiments/<uuid:experiment_id>", experiments.ExperimentView.as_view(), name="api-experiment"),
    path("experiments/<uuid:experiment_id>/result", experiments.ResultView.as_view(), name="api-experiment-result"),
    path(
        "experiments/<uuid:experiment_id>/withdraw",
        experiments.ExperimentBackView.as_view(),
        name="api-experiment-withdraw",
    ),
]
