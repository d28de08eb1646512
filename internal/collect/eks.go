package collect

func eksKinds() []kind { return nil }
