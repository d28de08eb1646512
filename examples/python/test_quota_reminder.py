import datetime

import quota_reminder

GROUPS = "fW7HH0l7J9"  # Auto Scaling Groups

NEARLY = {
    "account": "123456789012",
    "check": GROUPS,
    "resources": [
        {
            "status": "warning",
            "region": "eu-west-1",
            "metadata": {
                "Region": "eu-west-1",
                "Service": "AutoScaling",
                "Limit Name": "Auto Scaling groups",
                "Limit Amount": "200",
                "Current Usage": "180",
                "Status": "Yellow",
            },
        },
        {"status": "ok", "region": "us-east-1", "metadata": {"Region": "us-east-1"}},
    ],
}

LIMIT = ("AutoScaling", "Auto Scaling groups", "eu-west-1")

AGENT = """
rules:
  - match: {service: service-limit-increase}
    steps:
      - after: 1h
        reply: How many do you need?
        status: pending-customer-action
"""


def requests(server, operation):
    return server.ask("GET", f"/requests?operation={operation}")["requests"]


def test_a_limit_that_is_nearly_used_up_gets_one_case(server):
    server.ask("PUT", "/results", NEARLY)
    support = quota_reminder.client()

    assert quota_reminder.nearly_used_up(support) == [LIMIT]
    assert len(quota_reminder.ask(support, [LIMIT])) == 1
    assert quota_reminder.ask(support, [LIMIT]) == []  # there is a case by now

    created = requests(server, "CreateCase")
    assert [r["input"]["serviceCode"] for r in created] == ["service-limit-increase"]


def test_nobody_asks_for_what_nobody_needs(server):
    assert quota_reminder.nearly_used_up(quota_reminder.client()) == []


def test_calls_that_are_throttled_are_made_again(server):
    server.ask("POST", "/faults", {"kind": "throttling", "operation": "CreateCase", "count": 2})

    assert len(quota_reminder.ask(quota_reminder.client(), [LIMIT])) == 1

    answers = [r.get("errorCode") for r in requests(server, "CreateCase")]
    assert answers == ["ThrottlingException", "ThrottlingException", None]


def test_who_lets_support_wait_is_reminded_after_three_days(server):
    server.ask("PUT", "/autopilot", AGENT)
    support = quota_reminder.client()
    quota_reminder.ask(support, [LIMIT])

    server.ask("POST", "/clock", {"advance": "2h"})
    assert quota_reminder.waiting(support, now(server)) == []

    server.ask("POST", "/clock", {"advance": "72h"})
    assert [case["subject"] for case in quota_reminder.waiting(support, now(server))] == [quota_reminder.subject(LIMIT)]


def now(server):
    text = server.ask("GET", "/clock")["now"]
    return datetime.datetime.fromisoformat(text[:19] + "+00:00")
