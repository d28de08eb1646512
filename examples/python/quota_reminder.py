"""Asks AWS Support for higher limits before they are used up.

Trusted Advisor says how much of its limits an account uses. Every limit that is
nearly used up gets one open support case; who lets support wait is reminded.
"""

import datetime
import os

import boto3
from botocore.config import Config

PATIENCE = datetime.timedelta(days=3)


def client():
    return boto3.client(
        "support",
        region_name="us-east-1",
        # boto3 before 1.28 does not look at this variable itself.
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL_SUPPORT"),
        config=Config(retries={"mode": "standard", "max_attempts": 5}),
    )


def nearly_used_up(support):
    """Returns the limits with a warning or an error, as (service, limit, region)."""
    checks = support.describe_trusted_advisor_checks(language="en")["checks"]
    ids = [check["id"] for check in checks if check["category"] == "service_limits"]
    summaries = support.describe_trusted_advisor_check_summaries(checkIds=ids)["summaries"]
    found = []
    for summary in summaries:
        if summary["status"] not in ("warning", "error"):
            continue
        result = support.describe_trusted_advisor_check_result(checkId=summary["checkId"], language="en")["result"]
        for resource in result["flaggedResources"]:
            if resource["status"] != "ok" and not resource.get("isSuppressed"):
                region, service, limit = resource["metadata"][:3]
                found.append((service, limit, region))
    return found


def subject(limit):
    service, name, region = limit
    return f"Limit increase: {service}, {name} in {region}"


def open_cases(support):
    pages = support.get_paginator("describe_cases").paginate(includeCommunications=True)
    return [case for page in pages for case in page["cases"]]


def ask(support, limits):
    """Opens a case for every limit that has none, and returns their ids."""
    asked = {case["subject"] for case in open_cases(support)}
    return [
        support.create_case(
            subject=subject(limit),
            communicationBody=f"Please raise {limit[1]} of {limit[0]} in {limit[2]}: it is nearly used up.",
            serviceCode="service-limit-increase",
            severityCode="low",
        )["caseId"]
        for limit in limits
        if subject(limit) not in asked
    ]


def waiting(support, now):
    """Returns the cases in which support has waited for an answer for too long."""
    found = []
    for case in open_cases(support):
        last = case["recentCommunications"]["communications"][0]  # the newest comes first
        said = datetime.datetime.fromisoformat(last["timeCreated"].replace("Z", "+00:00"))
        if case["status"] == "pending-customer-action" and now - said > PATIENCE:
            found.append(case)
    return found


def main():
    support = client()
    for case in ask(support, nearly_used_up(support)):
        print("opened", case)
    for case in waiting(support, datetime.datetime.now(datetime.timezone.utc)):
        print("waits for you:", case["displayId"], case["subject"])


if __name__ == "__main__":
    main()
