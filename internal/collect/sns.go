package collect

func snsKinds() []kind { return nil }
