package collect

func dynamodbKinds() []kind { return nil }
