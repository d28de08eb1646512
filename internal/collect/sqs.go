package collect

func sqsKinds() []kind { return nil }
