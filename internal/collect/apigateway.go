package collect

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	resttypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

func apigatewayKinds() []kind {
	return []kind{
		kindOf("apigateway.stage", regional, "apigateway:GET", readRESTStages),
		kindOf("apigatewayv2.stage", regional, "apigateway:GET", readAPIStages),
		kindOf("apigatewayv2.route", regional, "apigateway:GET", readAPIRoutes),
	}
}

// apiARN returns an ARN of API Gateway, in which there is no account.
func (r *reader) apiARN(format string, args ...*string) string {
	path := make([]any, len(args))
	for i, arg := range args {
		path[i] = aws.ToString(arg)
	}
	return fmt.Sprintf("arn:"+r.partition()+":apigateway:"+r.task.region+"::"+format, path...)
}

// RESTStage is a stage of a REST API.
type RESTStage struct {
	resttypes.Stage
	StageArn    string `doc:"Its ARN, of which the API says nothing."`
	RestApiId   string `doc:"The API that it belongs to."`
	RestApiName string `doc:"The name of the API."`
}

func readRESTStages(ctx context.Context, r *reader, emit emit[RESTStage]) error {
	client := apigateway.NewFromConfig(r.config)
	input := &apigateway.GetRestApisInput{Limit: aws.Int32(500)}
	return pages(ctx, client.GetRestApis, input, func(page *apigateway.GetRestApisOutput) error {
		return forEach(ctx, page.Items, func(ctx context.Context, api resttypes.RestApi) error {
			out, err := client.GetStages(ctx, &apigateway.GetStagesInput{RestApiId: api.Id})
			if hasCode(err, "NotFoundException") {
				return nil
			}
			if err != nil {
				return err
			}
			for _, s := range out.Item {
				s.Variables = nil // may contain secrets
				stage := RESTStage{
					Stage: s, StageArn: r.apiARN("/restapis/%s/stages/%s", api.Id, s.StageName),
					RestApiId: aws.ToString(api.Id), RestApiName: aws.ToString(api.Name),
				}
				if err := emit(stage.StageArn, stage); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (r *reader) apigatewayv2() *apigatewayv2.Client { return apigatewayv2.NewFromConfig(r.config) }

// eachAPI calls f for every HTTP and WebSocket API. One that is gone has nothing.
func (r *reader) eachAPI(ctx context.Context, f func(context.Context, types.Api) error) error {
	all, err := once(r, "apigatewayv2:GetApis", func() ([]types.Api, error) {
		return gather(ctx, r.apigatewayv2().GetApis, &apigatewayv2.GetApisInput{},
			func(page *apigatewayv2.GetApisOutput) []types.Api { return page.Items })
	})
	if err != nil {
		return err
	}
	return forEach(ctx, all, func(ctx context.Context, api types.Api) error {
		if err := f(ctx, api); !hasCode(err, "NotFoundException") {
			return err
		}
		return nil
	})
}

// APIStage is a stage of an HTTP or WebSocket API.
type APIStage struct {
	types.Stage
	StageArn     string `doc:"Its ARN, of which the API says nothing."`
	ApiId        string `doc:"The API that it belongs to."`
	ApiName      string `doc:"The name of the API."`
	ProtocolType string `doc:"HTTP or WEBSOCKET."`
}

func readAPIStages(ctx context.Context, r *reader, emit emit[APIStage]) error {
	return r.eachAPI(ctx, func(ctx context.Context, api types.Api) error {
		input := &apigatewayv2.GetStagesInput{ApiId: api.ApiId}
		return pages(ctx, r.apigatewayv2().GetStages, input, func(page *apigatewayv2.GetStagesOutput) error {
			for _, s := range page.Items {
				s.StageVariables = nil // may contain secrets
				stage := APIStage{
					Stage: s, StageArn: r.apiARN("/apis/%s/stages/%s", api.ApiId, s.StageName),
					ApiId: aws.ToString(api.ApiId), ApiName: aws.ToString(api.Name), ProtocolType: string(api.ProtocolType),
				}
				if err := emit(stage.StageArn, stage); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// APIRoute is a route of an HTTP or WebSocket API.
type APIRoute struct {
	types.Route
	ApiId        string `doc:"The API that it belongs to."`
	ApiName      string `doc:"The name of the API."`
	ProtocolType string `doc:"HTTP or WEBSOCKET."`
}

func readAPIRoutes(ctx context.Context, r *reader, emit emit[APIRoute]) error {
	return r.eachAPI(ctx, func(ctx context.Context, api types.Api) error {
		input := &apigatewayv2.GetRoutesInput{ApiId: api.ApiId}
		return pages(ctx, r.apigatewayv2().GetRoutes, input, func(page *apigatewayv2.GetRoutesOutput) error {
			for _, route := range page.Items {
				full := APIRoute{Route: route, ApiId: aws.ToString(api.ApiId), ApiName: aws.ToString(api.Name), ProtocolType: string(api.ProtocolType)}
				if err := emit(r.apiARN("/apis/%s/routes/%s", api.ApiId, route.RouteId), full); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
