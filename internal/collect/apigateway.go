package collect

func apigatewayKinds() []kind { return nil }
