from django.urls import path

from experts.views import asks, directory, me, mentoring, notices, people, teams, topics

app_name = "experts"
urlpatterns = [
    path("people/", people.people, name="people"),
    path("people/me/", me.me, name="me"),
    path("people/welcome/", topics.welcome, name="welcome"),
    path("people/welcome/met", topics.met, name="met"),
    path("people/import/", directory.bring, name="import"),
    path("people/import/<uuid:public_id>/", directory.one, name="import-one"),
    path("people/<uuid:public_id>/", people.person, name="person"),
    path("asks/", asks.mine, name="asks"),
    path("asks/new", asks.new, name="ask-new"),
    path("asks/taken-away", asks.taken_away, name="taken-away"),
    path("asks/alike", asks.alike, name="ask-alike"),
    path("asks/<uuid:public_id>/", asks.one, name="ask"),
    path("asks/<uuid:public_id>/answer", asks.answer, name="ask-answer"),
    path("asks/<uuid:public_id>/moderate", asks.moderate, name="ask-moderate"),
    path("asks/<uuid:public_id>/<slug:verb>", asks.act, name="ask-act"),
    path("answers/<uuid:public_id>/edit", asks.edit, name="answer-edit"),
    path("answers/<uuid:public_id>/text", asks.text, name="answer-text"),
    path("answers/<uuid:public_id>/moderate", asks.moderate_answer, name="answer-moderate"),
    path("answers/<uuid:public_id>/<slug:verb>", asks.act_on_answer, name="answer-act"),
    path("notices/", notices.notices, name="notices"),
    path("topics/", topics.topics, name="topics"),
    path("topics/suggest", topics.suggest, name="topics-suggest"),
    path("topics/<str:slug>/", topics.topic, name="topic"),
    path("topics/<str:slug>/follow", topics.follow, name="topic-follow"),
    path("mentoring/", mentoring.mentoring, name="mentoring"),
    path("mentoring/<uuid:public_id>/invitation.ics", mentoring.invitation, name="mentoring-invitation"),
    path("teams/build", teams.build, name="build-team"),
    path("teams/<uuid:public_id>/", teams.proposal, name="proposal"),
]
