package collect

import (
	"cmp"
	"strings"
)

// Partitions. AWS has several that know nothing of each other: regions, accounts
// and ARNs are of one of them, and global services have their home in one of its
// regions.

// partitionOf returns the partition of an ARN, and nothing of what is none.
func partitionOf(arn string) string {
	fields := strings.SplitN(arn, ":", 3)
	if len(fields) < 3 || fields[0] != "arn" {
		return ""
	}
	return fields[1]
}

// partition is that of the account.
func (r *run) partition() string { return cmp.Or(r.realm, publicPartition) }

const publicPartition = "aws"

// homeRegion is where global services are asked.
func (r *run) homeRegion() string {
	switch r.partition() {
	case "aws-cn":
		return "cn-north-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	case "aws-eusc":
		return "eusc-de-east-1"
	case "aws-iso":
		return "us-iso-east-1"
	case "aws-iso-b":
		return "us-isob-east-1"
	}
	return defaultRegion
}
