#!/usr/bin/env bash
# Asks AWS Support: ask.sh SUBJECT QUESTION ANSWER FILE
# Opens a case with the file attached, gives the answer when support asks back,
# waits for the solution and prints the whole conversation. What support attached
# is saved in the current folder.
set -euo pipefail

subject=$1 question=$2 answer=$3 file=$4
interval=${ASK_INTERVAL:-60} # seconds between two looks at the case

# Clients before 1.29 and 2.13 do not know AWS_ENDPOINT_URL_SUPPORT.
support() {
	aws ${AWS_ENDPOINT_URL_SUPPORT:+--endpoint-url "$AWS_ENDPOINT_URL_SUPPORT"} --region us-east-1 --output text support "$@"
}

# wait_for STATUS... waits until the case has one of the statuses.
wait_for() {
	local status
	while true; do
		status=$(support describe-cases --case-id-list "$case_id" --include-resolved-cases --no-include-communications \
			--query 'cases[0].status')
		for wanted in "$@"; do
			[ "$status" = "$wanted" ] && return
		done
		sleep "$interval"
	done
}

set_id=$(support add-attachments-to-set --query attachmentSetId \
	--attachments "fileName=$(basename "$file"),data=$(base64 <"$file" | tr -d '\n')")
case_id=$(support create-case --query caseId --subject "$subject" --communication-body "$question" \
	--service-code general-info --category-code using-aws --severity-code low --attachment-set-id "$set_id")
echo "Opened $case_id"

wait_for pending-customer-action resolved
support add-communication-to-case --case-id "$case_id" --communication-body "$answer" >/dev/null
wait_for resolved

# Communications come newest first, a conversation reads the other way round.
support describe-communications --case-id "$case_id" \
	--query 'reverse(communications)[].[timeCreated, submittedBy, body]' |
	while IFS=$'\t' read -r time who text; do
		printf '\n%s  %s\n%s\n' "$time" "$who" "$text"
	done

support describe-communications --case-id "$case_id" \
	--query "communications[?submittedBy=='Amazon Web Services'].attachmentSet[].[attachmentId, fileName]" |
	while read -r id name; do
		support describe-attachment --attachment-id "$id" --query attachment.data | base64 --decode >"$name"
		printf '\nSaved %s\n' "$name"
	done
