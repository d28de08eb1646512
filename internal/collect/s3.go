package collect

func s3Kinds() []kind { return nil }
