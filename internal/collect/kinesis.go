package collect

func kinesisKinds() []kind { return nil }
