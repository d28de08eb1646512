package collect

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func lambdaKinds() []kind {
	return []kind{
		kindOf("lambda.function", regional, "lambda:ListFunctions", readLambdaFunctions),
		kindOf("lambda.function-metrics", regional, "lambda:ListFunctions,cloudwatch:GetMetricData", readLambdaMetrics),
		kindOf("lambda.account-settings", regional, "lambda:GetAccountSettings", readLambdaSettings),
	}
}

func (r *reader) lambda() *lambda.Client { return lambda.NewFromConfig(r.config) }

func (r *reader) functions(ctx context.Context) ([]types.FunctionConfiguration, error) {
	return once(r, "lambda:ListFunctions", func() ([]types.FunctionConfiguration, error) {
		return gather(ctx, r.lambda().ListFunctions, &lambda.ListFunctionsInput{},
			func(page *lambda.ListFunctionsOutput) []types.FunctionConfiguration { return page.Functions })
	})
}

// LambdaFunction is a function with what is configured for its newest code, $LATEST.
// Environment variables are left out: they may be secrets.
type LambdaFunction struct {
	types.FunctionConfiguration
	PolicyStatements    []PolicyStatement                 `part:"lambda:GetPolicy" doc:"The statements of its resource policy."`
	Public              bool                              `part:"lambda:GetPolicy" doc:"Whether a statement allows everybody something, and no condition of it names accounts, organizations, principals or resources."`
	ReservedConcurrency *int32                            `part:"lambda:GetFunctionConcurrency" doc:"How many executions are reserved for it; absent when none are."`
	EventInvokeConfigs  []types.FunctionEventInvokeConfig `part:"lambda:ListFunctionEventInvokeConfigs" doc:"How asynchronous invocations of its versions and aliases are handled."`
	Versions            []FunctionVersion                 `part:"lambda:ListVersionsByFunction" doc:"All its versions, $LATEST among them."`
}

// FunctionVersion is a version of a function.
type FunctionVersion struct {
	Version  string `doc:"A number, or $LATEST."`
	CodeSize int64  `doc:"Bytes."`
}

func readLambdaFunctions(ctx context.Context, r *reader, emit emit[LambdaFunction]) error {
	all, err := r.functions(ctx)
	if err != nil {
		return err
	}
	return forEach(ctx, all, func(ctx context.Context, configuration types.FunctionConfiguration) error {
		configuration.Environment = nil
		f := LambdaFunction{FunctionConfiguration: configuration}
		if f.readParts(ctx, r) {
			return nil
		}
		return emit(aws.ToString(f.FunctionArn), f)
	})
}

func (f *LambdaFunction) readParts(ctx context.Context, r *reader) (gone bool) {
	client := r.lambda()
	parts := parts{reader: r, codes: []string{"ResourceNotFoundException"}}
	// GetPolicy has the same code for a function without a policy and for no function.
	policy := sync.OnceValues(func() ([]PolicyStatement, error) {
		out, err := client.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: f.FunctionName})
		if err != nil {
			return nil, err
		}
		return parsePolicy(aws.ToString(out.Policy))
	})
	r.part("PolicyStatements", func() (err error) {
		f.PolicyStatements, err = policy()
		return err
	}, "ResourceNotFoundException")
	r.part("Public", func() error {
		statements, err := policy()
		f.Public = slices.ContainsFunc(statements, func(s PolicyStatement) bool { return s.Effect == "Allow" && s.public() && !s.limited() })
		return err
	}, "ResourceNotFoundException")
	parts.read("ReservedConcurrency", func() error {
		out, err := client.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: f.FunctionName})
		if err == nil {
			f.ReservedConcurrency = out.ReservedConcurrentExecutions
		}
		return err
	})
	parts.read("EventInvokeConfigs", func() (err error) {
		input := &lambda.ListFunctionEventInvokeConfigsInput{FunctionName: f.FunctionName}
		f.EventInvokeConfigs, err = gather(ctx, client.ListFunctionEventInvokeConfigs, input,
			func(page *lambda.ListFunctionEventInvokeConfigsOutput) []types.FunctionEventInvokeConfig {
				return page.FunctionEventInvokeConfigs
			})
		return err
	})
	parts.read("Versions", func() (err error) {
		input := &lambda.ListVersionsByFunctionInput{FunctionName: f.FunctionName}
		f.Versions, err = gather(ctx, client.ListVersionsByFunction, input, functionVersions)
		return err
	})
	return parts.gone
}

func functionVersions(page *lambda.ListVersionsByFunctionOutput) (versions []FunctionVersion) {
	for _, v := range page.Versions {
		versions = append(versions, FunctionVersion{Version: aws.ToString(v.Version), CodeSize: v.CodeSize})
	}
	return versions
}

// FunctionMetrics is the use of a function.
type FunctionMetrics struct {
	FunctionName string        `doc:"The function."`
	FunctionArn  string        `doc:"The ARN of the function, without a version."`
	Days         []FunctionDay `doc:"Of the last seven days, the oldest first. Days on which the function was not invoked are left out."`
}

// FunctionDay is the use of a function in 24 hours.
type FunctionDay struct {
	Day          time.Time `doc:"When the 24 hours began."`
	Last         bool      `doc:"Whether it is the last day that was looked at."`
	Invocations  float64   `doc:"How often it was invoked."`
	Errors       float64   `doc:"Invocations that ended in an error."`
	Duration     float64   `doc:"The sum, in milliseconds."`
	AsyncEvents  float64   `doc:"Events that were queued for it."`
	AsyncDropped float64   `doc:"Those of the events that were dropped without being processed."`
}

func functionMetrics() []string {
	return []string{"Invocations", "Errors", "Duration", "AsyncEventsReceived", "AsyncEventsDropped"}
}

func readLambdaMetrics(ctx context.Context, r *reader, emit emit[FunctionMetrics]) error {
	all, err := r.functions(ctx)
	if err != nil {
		return err
	}
	names := functionMetrics()
	var metrics []metric
	for _, f := range all {
		for _, name := range names {
			metrics = append(metrics, metric{"AWS/Lambda", name, "Sum", map[string]string{"FunctionName": aws.ToString(f.FunctionName)}})
		}
	}
	values, err := r.daily(ctx, usageDays, metrics)
	if err != nil {
		return err
	}
	for i, f := range all {
		m := FunctionMetrics{FunctionName: aws.ToString(f.FunctionName), FunctionArn: aws.ToString(f.FunctionArn)}
		m.Days = r.functionDays(values[i*len(names) : (i+1)*len(names)])
		if err := emit(m.FunctionArn, m); err != nil {
			return err
		}
	}
	return nil
}

// functionDays turns the values of functionMetrics, by metric and day, into days.
func (r *reader) functionDays(values [][]*float64) (days []FunctionDay) {
	for i := range usageDays {
		d := FunctionDay{
			Day: r.day(usageDays, i), Last: i == usageDays-1,
			Invocations: aws.ToFloat64(values[0][i]), Errors: aws.ToFloat64(values[1][i]), Duration: aws.ToFloat64(values[2][i]),
			AsyncEvents: aws.ToFloat64(values[3][i]), AsyncDropped: aws.ToFloat64(values[4][i]),
		}
		if values[0][i] != nil || values[3][i] != nil {
			days = append(days, d)
		}
	}
	return days
}

func readLambdaSettings(ctx context.Context, r *reader, emit emit[lambda.GetAccountSettingsOutput]) error {
	out, err := r.lambda().GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return err
	}
	return emit(r.arn("lambda", "account-settings"), *out)
}
