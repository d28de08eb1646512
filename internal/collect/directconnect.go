package collect

func directconnectKinds() []kind { return nil }
