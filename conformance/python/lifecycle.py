"""Drives every operation of the Support API through boto3.

    lifecycle.py life       cases from beginning to end, errors, presigned URLs
    lifecycle.py limits     a server whose limits are three cases an hour, two
                            attachment sets and two DescribeAttachment calls
    lifecycle.py throttle   a server that takes one call a second
    lifecycle.py expired ID an attachment set that has expired

Credentials and region come from the environment. SUPPORTD_ENDPOINT is given to
boto3 as endpoint_url; without it boto3 reads AWS_ENDPOINT_URL_SUPPORT itself.
"""

import datetime
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

import boto3
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError

CONTENT = bytes(range(256))
KIND = {"serviceCode": "general-info", "categoryCode": "using-aws", "issueType": "technical"}


def new_client(**kwargs):
    endpoint = os.environ.get("SUPPORTD_ENDPOINT")
    config = Config(retries={"max_attempts": 0})
    return boto3.client("support", endpoint_url=endpoint, config=config, **kwargs)


def same(call, got, want):
    if got != want:
        raise AssertionError(f"{call} = {got!r}, want {want!r}")


def like(call, got, pattern):
    if not re.fullmatch(pattern, got):
        raise AssertionError(f"{call} = {got!r}, want a match of {pattern}")


def refused(error, text, call, **arguments):
    """Calls and returns the exception, which must be of the class error."""
    try:
        answer = call(**arguments)
    except error as told:
        if text not in told.response["Error"]["Message"]:
            raise AssertionError(f"{call.__name__}({arguments}): {told}, want {text!r} in it")
        return told
    raise AssertionError(f"{call.__name__}({arguments}) = {answer}, want {error.__name__}")


def refused_as(code, text, call, **arguments):
    """Calls what must fail with an error that boto3 has no class for."""
    told = refused(ClientError, text, call, **arguments)
    same(f"{call.__name__}({arguments}): code", told.response["Error"]["Code"], code)
    same(f"{call.__name__}({arguments}): status", told.response["ResponseMetadata"]["HTTPStatusCode"], 400)


def life(support):
    case_id = create(support)
    communicate(support, case_id)
    attachments(support, case_id)
    catalogue(support)
    pages(support, case_id)
    resolve(support, case_id)
    errors(support)


def create(support):
    answer = support.create_case(
        subject="Boot hängt", communicationBody="Seit gestern.\n\nGruß",
        serviceCode="amazon-elastic-compute-cloud-linux", categoryCode="ssh-issue", severityCode="urgent",
        ccEmailAddresses=["ops@example.com"], language="en", issueType="technical",
    )
    case_id = answer["caseId"]
    like("create_case", case_id, r"case-\d{12}-muen-\d{4}-[0-9a-f]{16}")
    like("request id", answer["ResponseMetadata"]["RequestId"], r"[0-9a-f-]{36}")
    found = support.describe_cases(caseIdList=[case_id])["cases"]
    same("describe_cases", len(found), 1)
    same("subject", found[0]["subject"], "Boot hängt")
    same("status", found[0]["status"], "unassigned")
    same("severityCode", found[0]["severityCode"], "urgent")
    same("ccEmailAddresses", found[0]["ccEmailAddresses"], ["ops@example.com"])
    same("body", found[0]["recentCommunications"]["communications"][0]["body"], "Seit gestern.\n\nGruß")
    same("members", sorted(found[0]), sorted([
        "caseId", "categoryCode", "ccEmailAddresses", "displayId", "language", "recentCommunications",
        "serviceCode", "severityCode", "status", "subject", "submittedBy", "timeCreated",
    ]))
    same("by displayId", support.describe_cases(displayId=found[0]["displayId"])["cases"], found)
    bare = support.describe_cases(caseIdList=[case_id], includeCommunications=False)["cases"][0]
    same("without communications", "recentCommunications" in bare, False)
    tomorrow = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).isoformat()
    same("afterTime", support.describe_cases(afterTime=tomorrow)["cases"], [])
    same("beforeTime", support.describe_cases(beforeTime=tomorrow, language="en")["cases"], found)
    return case_id


def communicate(support, case_id):
    answer = support.add_communication_to_case(caseId=case_id, communicationBody="Noch da?", ccEmailAddresses=["boss@example.com"])
    same("add_communication_to_case", answer["result"], True)
    answer = support.describe_communications(caseId=case_id)
    same("describe_communications", [c["body"] for c in answer["communications"]], ["Noch da?", "Seit gestern.\n\nGruß"])
    same("nextToken", "nextToken" in answer, False)


def attachments(support, case_id):
    set_id = support.add_attachments_to_set(attachments=[{"fileName": "bytes.bin", "data": CONTENT}])["attachmentSetId"]
    answer = support.add_attachments_to_set(attachmentSetId=set_id, attachments=[{"fileName": "empty.txt", "data": b""}])
    same("add_attachments_to_set", answer["attachmentSetId"], set_id)
    like("expiryTime", answer["expiryTime"], r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")
    support.add_communication_to_case(caseId=case_id, communicationBody="Dateien", attachmentSetId=set_id)
    details = support.describe_communications(caseId=case_id)["communications"][0]["attachmentSet"]
    same("attachmentSet", [d["fileName"] for d in details], ["bytes.bin", "empty.txt"])
    attachment = support.describe_attachment(attachmentId=details[0]["attachmentId"])["attachment"]
    same("describe_attachment", attachment, {"fileName": "bytes.bin", "data": CONTENT})

    caught = support.exceptions
    refused(caught.AttachmentSetIdNotFound, "could not be found", support.create_case, subject="S", communicationBody="B", attachmentSetId=set_id)
    refused(caught.AttachmentIdNotFound, "could not be found", support.describe_attachment, attachmentId="attachment-0")
    four = [{"fileName": str(i), "data": b"x"} for i in range(4)]
    refused(caught.AttachmentSetSizeLimitExceeded, "at most 3", support.add_attachments_to_set, attachments=four)


def catalogue(support):
    services = support.describe_services(language="en")["services"]
    same("general-info", [s["name"] for s in services if s["code"] == "general-info"], ["General Info and Getting Started"])
    found = support.describe_services(serviceCodeList=["amazon-polly", "no-such-service"])["services"]
    same("describe_services", [(s["code"], s["name"]) for s in found], [("amazon-polly", "Polly")])
    severities = support.describe_severity_levels(language="en")["severityLevels"]
    same("describe_severity_levels", [s["code"] for s in severities], ["low", "normal", "high", "urgent", "critical"])
    languages = support.describe_supported_languages(**KIND)["supportedLanguages"]
    same("describe_supported_languages", [one["code"] for one in languages], ["en", "ja", "zh", "ko"])
    options = support.describe_create_case_options(language="en", **KIND)
    same("describe_create_case_options", options["languageAvailability"], "available")
    same("communicationTypes", [t["type"] for t in options["communicationTypes"]], ["web", "chat", "call"])
    same("supportedHours", options["communicationTypes"][0]["supportedHours"], [{"startTime": "00:00:00.000", "endTime": "23:59:59.999"}])


def pages(support, case_id):
    """Both paginators, with pages of ten and an end in the middle of a page."""
    for i in range(24):
        support.create_case(subject=f"Page {i}", communicationBody="B")
        support.add_communication_to_case(caseId=case_id, communicationBody=f"Reply {i}")
    subjects = ["Boot hängt"] + [f"Page {i}" for i in range(24)]
    paginator = support.get_paginator("describe_cases")
    every = list(paginator.paginate(PaginationConfig={"PageSize": 10}))
    same("pages of cases", [len(page["cases"]) for page in every], [10, 10, 5])
    same("cases", [c["subject"] for page in every for c in page["cases"]], subjects)
    first = paginator.paginate(PaginationConfig={"PageSize": 10, "MaxItems": 13}).build_full_result()
    same("MaxItems", [c["subject"] for c in first["cases"]], subjects[:13])
    rest = paginator.paginate(PaginationConfig={"PageSize": 10, "StartingToken": first["NextToken"]}).build_full_result()
    same("StartingToken", [c["subject"] for c in rest["cases"]], subjects[13:])

    bodies = [f"Reply {i}" for i in reversed(range(24))] + ["Dateien", "Noch da?", "Seit gestern.\n\nGruß"]
    paginator = support.get_paginator("describe_communications")
    every = list(paginator.paginate(caseId=case_id, PaginationConfig={"PageSize": 10}))
    same("pages of communications", [len(page["communications"]) for page in every], [10, 10, 7])
    same("communications", [c["body"] for page in every for c in page["communications"]], bodies)
    recent = support.describe_cases(caseIdList=[case_id])["cases"][0]["recentCommunications"]
    same("recent communications", [c["body"] for c in recent["communications"]], bodies[:5])
    older = support.describe_communications(caseId=case_id, nextToken=recent["nextToken"])
    same("older communications", [c["body"] for c in older["communications"]], bodies[5:])


def resolve(support, case_id):
    answer = support.resolve_case(caseId=case_id)
    same("resolve_case", (answer["initialCaseStatus"], answer["finalCaseStatus"]), ("unassigned", "resolved"))
    same("open cases", case_id in [c["caseId"] for c in support.describe_cases()["cases"]], False)
    same("all cases", support.describe_cases(includeResolvedCases=True)["cases"][0]["status"], "resolved")
    support.add_communication_to_case(caseId=case_id, communicationBody="Wieder da")
    same("reopened", support.describe_cases(caseIdList=[case_id])["cases"][0]["status"], "reopened")


def errors(support):
    caught = support.exceptions
    for call, arguments in [
        (support.describe_cases, {"caseIdList": ["case-0"]}),
        (support.describe_communications, {"caseId": "case-0"}),
        (support.add_communication_to_case, {"caseId": "case-0", "communicationBody": "B"}),
        (support.resolve_case, {"caseId": "case-0"}),
    ]:
        told = refused(caught.CaseIdNotFound, 'The requested case ID "case-0" could not be found.', call, **arguments)
        same("code", told.response["Error"]["Code"], "CaseIdNotFound")
    refused_as("InvalidParameterValueException", "Invalid category code", support.create_case,
               subject="S", communicationBody="B", serviceCode="amazon-polly", categoryCode="x")
    refused_as("InvalidParameterValueException", "nextToken", support.describe_cases, nextToken="x")
    refused_as("ValidationException", "less than or equal to 100", support.describe_cases, maxResults=101)
    refused_as("InvalidParameterValueException", "Language", support.describe_trusted_advisor_checks, language="xx")
    stranger = new_client(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x")
    refused_as("UnrecognizedClientException", "security token", stranger.describe_cases)
    liar = new_client(aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], aws_secret_access_key="x")
    refused_as("InvalidSignatureException", "does not match", liar.describe_cases)


def presigned(support):
    """Every operation as a URL, fetched with POST and with GET."""
    signed_headers = {}
    support.meta.events.register("before-sign.support", lambda request, **_: signed_headers.update(request.headers.items()))
    case_id = support.create_case(subject="Presigned", communicationBody="B")["caseId"]

    for method in ["POST", "GET"]:
        def fetch(operation, **arguments):
            signed_headers.clear()
            url = support.generate_presigned_url(operation, Params=arguments, ExpiresIn=300, HttpMethod=method)
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
            same(f"{operation}: signed headers", query["X-Amz-SignedHeaders"], ["content-type;host;x-amz-target"])
            headers = {name: text(value) for name, value in signed_headers.items() if name.lower() in ("content-type", "x-amz-target")}
            same(f"{operation}: headers to send", len(headers), 2)
            return send(urllib.request.Request(url, headers=headers, method=method, data=b"" if method == "POST" else None))

        quoted = "it's \"quoted\" ümläut.txt"
        answer = fetch("add_attachments_to_set", attachments=[
            {"fileName": quoted, "data": CONTENT}, {"fileName": "b.txt", "data": b"b"},
        ])
        set_id = answer["attachmentSetId"]
        answer = fetch("add_attachments_to_set", attachmentSetId=set_id, attachments=[{"fileName": "c.txt", "data": b"c"}])
        same("attachmentSetId", answer["attachmentSetId"], set_id)
        made = fetch("create_case", subject="By URL & more=1", communicationBody="Line 1\nLine 2 + ü", severityCode="high",
                     ccEmailAddresses=["a@example.com", "b@example.com"], attachmentSetId=set_id)["caseId"]
        found = fetch("describe_cases", caseIdList=[made, case_id], includeResolvedCases=True, maxResults=10)["cases"]
        same("describe_cases", [c["caseId"] for c in found], [case_id, made])
        same("subject", found[1]["subject"], "By URL & more=1")
        same("ccEmailAddresses", found[1]["ccEmailAddresses"], ["a@example.com", "b@example.com"])
        bare = fetch("describe_cases", caseIdList=[made], includeCommunications=False)["cases"][0]
        same("includeCommunications=False", "recentCommunications" in bare, False)
        same("add_communication_to_case", fetch("add_communication_to_case", caseId=made, communicationBody="More"), {"result": True})
        sent = fetch("describe_communications", caseId=made)["communications"]
        same("describe_communications", [c["body"] for c in sent], ["More", "Line 1\nLine 2 + ü"])
        same("files", [d["fileName"] for d in sent[1]["attachmentSet"]], [quoted, "b.txt", "c.txt"])
        fetch("describe_attachment", attachmentId=sent[1]["attachmentSet"][0]["attachmentId"])
        same("content", support.describe_attachment(attachmentId=sent[1]["attachmentSet"][0]["attachmentId"])["attachment"]["data"], CONTENT)
        same("describe_services", [s["code"] for s in fetch("describe_services", serviceCodeList=["amazon-polly", "general-info"])["services"]],
             ["amazon-polly", "general-info"])
        same("describe_severity_levels", len(fetch("describe_severity_levels", language="en")["severityLevels"]), 5)
        same("describe_supported_languages", len(fetch("describe_supported_languages", **KIND)["supportedLanguages"]), 4)
        same("describe_create_case_options", fetch("describe_create_case_options", language="ja", **KIND)["languageAvailability"], "available")
        same("resolve_case", fetch("resolve_case", caseId=made), {"initialCaseStatus": "unassigned", "finalCaseStatus": "resolved"})
        try:
            answer = fetch("resolve_case", caseId="case-0")
        except AssertionError as told:
            same("an unknown id", "CaseIdNotFound" in str(told), True)
        else:
            raise AssertionError(f"resolve_case(case-0) = {answer}, want CaseIdNotFound")


def by_action(support):
    """The reference's common parameters Action and Version instead of a target."""
    case_id = support.create_case(subject="By action", communicationBody="B")["caseId"]
    answer = signed(support, "DescribeCases", {"caseIdList": [case_id]})
    same("DescribeCases", [c["subject"] for c in answer["cases"]], ["By action"])
    for method in ["POST", "GET"]:
        answer = signed_query(support, method, "DescribeCases", {"caseIdList": case_id, "includeCommunications": "False"})
        same("DescribeCases", [c["subject"] for c in answer["cases"]], ["By action"])
        same("recentCommunications", "recentCommunications" in answer["cases"][0], False)


def signed(support, action, members):
    """A call by Action and Version, signed in its header, the members in the body."""
    request = AWSRequest("POST", support.meta.endpoint_url + f"/?Action={action}&Version=2013-04-15",
                         data=json.dumps(members).encode(), headers={"Content-Type": "application/x-amz-json-1.1"})
    SigV4Auth(credentials(), "support", "us-east-1").add_auth(request)
    return send(urllib.request.Request(request.url, headers=dict(request.headers.items()), method="POST", data=request.data))


def signed_query(support, method, action, members):
    """A call by Action and Version, signed in its query, with the members there too."""
    request = AWSRequest(method, support.meta.endpoint_url + "/", params={"Action": action, "Version": "2013-04-15", **members})
    SigV4QueryAuth(credentials(), "support", "us-east-1", expires=60).add_auth(request)
    return send(urllib.request.Request(request.url, method=method))


def credentials():
    return boto3.session.Session().get_credentials().get_frozen_credentials()


def send(request):
    try:
        with urllib.request.urlopen(request) as response:
            return json.load(response)
    except urllib.error.HTTPError as told:
        raise AssertionError(f"{request.method} {request.full_url:.300} = {told.code} {told.read().decode()}, want an answer") from None


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def limits(support):
    caught = support.exceptions
    for i in range(3):
        case_id = support.create_case(subject=f"Case {i}", communicationBody="B")["caseId"]
    refused(caught.CaseCreationLimitExceeded, "Account has exceeded the limit of 3 cases per hour.",
            support.create_case, subject="Case 3", communicationBody="B")
    one = [{"fileName": "a", "data": b"a"}]
    set_id = support.add_attachments_to_set(attachments=one)["attachmentSetId"]
    support.add_attachments_to_set(attachments=one)
    refused(caught.AttachmentLimitExceeded, "limit of 2 attachment sets", support.add_attachments_to_set, attachments=one)
    support.add_communication_to_case(caseId=case_id, communicationBody="B", attachmentSetId=set_id)
    file_id = support.describe_communications(caseId=case_id)["communications"][0]["attachmentSet"][0]["attachmentId"]
    for _ in range(2):
        support.describe_attachment(attachmentId=file_id)
    refused(caught.DescribeAttachmentLimitExceeded, "limit of 2 DescribeAttachment calls", support.describe_attachment, attachmentId=file_id)


def throttle(support):
    for _ in range(100):
        try:
            support.describe_severity_levels()
        except ClientError as told:
            same("code", told.response["Error"]["Code"], "ThrottlingException")
            same("message", told.response["Error"]["Message"], "Throttle limit exceeded.")
            if hasattr(support.exceptions, "ThrottlingException"):
                same("class", isinstance(told, support.exceptions.ThrottlingException), True)
            return
    raise AssertionError("100 calls at once were not throttled, want ThrottlingException")


def expired(support, set_id):
    refused(support.exceptions.AttachmentSetExpired, "has expired", support.create_case, subject="S", communicationBody="B", attachmentSetId=set_id)


def main(part, *arguments):
    support = new_client()
    if part == "life":
        life(support)
        presigned(support)
        by_action(support)
    else:
        {"limits": limits, "throttle": throttle, "expired": expired}[part](support, *arguments)
    print(f"boto3 {boto3.__version__}: {part} is fine")


main(*sys.argv[1:])
