package iam

import "strings"

// managedPrefix is how the ARNs of managed policies begin.
const managedPrefix = "arn:aws:iam::aws:policy/"

// ManagedPolicies lists the names of the policies that are built in, sorted.
func ManagedPolicies() []string {
	return []string{"AWSSupportAccess", "AdministratorAccess", "ReadOnlyAccess"}
}

// ManagedPolicy returns the document of a policy that is built in, given its
// name or its ARN. The names are those of AWS; the documents say what they mean
// for this server.
func ManagedPolicy(nameOrARN string) (name, document string, ok bool) {
	name = strings.TrimPrefix(nameOrARN, managedPrefix)
	switch name {
	case "AdministratorAccess":
		return name, allowDocument("*"), true
	case "AWSSupportAccess":
		return name, allowDocument("support:*"), true
	case "ReadOnlyAccess":
		return name, allowDocument("support:Describe*"), true
	}
	return "", "", false
}

func allowDocument(action string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`
}
