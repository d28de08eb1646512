package collect

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/directconnect"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
)

// book is a list of numbered pages.
type (
	bookInput struct {
		Title     string
		NextToken *string
	}
	bookOutput struct {
		Page      int
		NextToken *string
	}
	options struct{}
)

// readBook reads a list whose pages turn answers, and returns what was asked.
func readBook(t *testing.T, in *bookInput, turn func(page int) (*bookOutput, error), f func(*bookOutput) error) (asked []string, err error) {
	t.Helper()
	err = pages(t.Context(), func(_ context.Context, in *bookInput, _ ...func(*options)) (*bookOutput, error) {
		asked = append(asked, in.Title+":"+aws.ToString(in.NextToken))
		return turn(len(asked))
	}, in, f)
	return asked, err
}

func TestPagesEndWithTheFirstWithoutAToken(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]*string{"no token": nil, "an empty one": aws.String("")} {
		t.Run(name, func(t *testing.T) {
			in := &bookInput{Title: "a", NextToken: aws.String("begin")}
			var got []int
			asked, err := readBook(t, in, func(page int) (*bookOutput, error) {
				if page == 3 {
					return &bookOutput{Page: page, NextToken: last}, nil
				}
				return &bookOutput{Page: page, NextToken: aws.String(strconv.Itoa(page + 1))}, nil
			}, func(page *bookOutput) error {
				page.NextToken = nil // nobody else's business
				got = append(got, page.Page)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]int{1, 2, 3}, got); diff != "" {
				t.Errorf("pages (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"a:begin", "a:2", "a:3"}, asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(&bookInput{Title: "a", NextToken: aws.String("begin")}, in); diff != "" {
				t.Errorf("the caller's input was changed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPagesEndWithAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	next := func(page int) (*bookOutput, error) {
		return &bookOutput{Page: page, NextToken: aws.String(strconv.Itoa(page))}, nil
	}
	for _, tt := range []struct {
		name  string
		turn  func(page int) (*bookOutput, error)
		f     func(*bookOutput) error
		want  error
		asked int
	}{
		{"of the call", func(page int) (*bookOutput, error) {
			if page == 2 {
				return nil, broken
			}
			return next(page)
		}, func(*bookOutput) error { return nil }, broken, 2},
		{"of the caller", next, func(page *bookOutput) error {
			if page.Page == 2 {
				return broken
			}
			return nil
		}, broken, 2},
		{"where a token comes again", func(page int) (*bookOutput, error) { return next(min(page, 2)) }, func(*bookOutput) error { return nil }, errSameToken, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked, err := readBook(t, &bookInput{}, tt.turn, tt.f)
			if !errors.Is(err, tt.want) || len(asked) != tt.asked {
				t.Errorf("pages() = %v after %d calls, want %v after %d", err, len(asked), tt.want, tt.asked)
			}
		})
	}
}

func TestPagesAreNotReadForEver(t *testing.T) {
	t.Parallel()
	asked, err := readBook(t, &bookInput{}, func(page int) (*bookOutput, error) {
		return &bookOutput{NextToken: aws.String(strconv.Itoa(page))}, nil
	}, func(*bookOutput) error { return nil })
	if !errors.Is(err, errPages) || len(asked) != maxPages {
		t.Errorf("pages() = %v after %d calls, want %v after %d", err, len(asked), errPages, maxPages)
	}
}

func TestAListOfUnknownTokensIsNotBegun(t *testing.T) {
	t.Parallel()
	notBegun := func(t *testing.T, read func(begun func()) error) {
		t.Helper()
		if err := read(func() { t.Error("the call was made") }); !errors.Is(err, errNoToken) {
			t.Errorf("pages() = %v, want %v", err, errNoToken)
		}
	}
	type unknown struct{ Bookmark *string }
	notBegun(t, func(begun func()) error {
		return pages(t.Context(), never[bookInput, unknown](begun), &bookInput{}, nil)
	})
	notBegun(t, func(begun func()) error {
		return pages(t.Context(), never[unknown, bookOutput](begun), &unknown{}, nil)
	})
	type number struct{ NextToken *int }
	notBegun(t, func(begun func()) error {
		return pages(t.Context(), never[bookInput, number](begun), &bookInput{}, nil)
	})
}

func never[In, Out any](begun func()) func(context.Context, *In, ...func(*options)) (*Out, error) {
	return func(context.Context, *In, ...func(*options)) (*Out, error) {
		begun()
		return nil, nil
	}
}

// list is a call of the SDK that collectors read the pages of.
type list struct {
	input string // the name of its type
	ours  func(context.Context) (asked []any, err error)
	// What the second call is to be: what the SDK's paginator asks, or the
	// field of the answer by the field of the call.
	theirs func(context.Context) (asked []any, err error)
	tokens tokens
}

// like is a list for which the SDK has a paginator.
func like[Client, API, In, Out, Options, PaginatorOptions any, Paginator interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Options)) (*Out, error)
}](
	newClient func(Options, ...func(*Options)) *Client,
	newPaginator func(API, *In, ...func(*PaginatorOptions)) Paginator,
	call func(*Client, context.Context, *In, ...func(*Options)) (*Out, error),
) list {
	l := bare(newClient, call, "", "")
	l.theirs = func(ctx context.Context) (asked []any, err error) {
		var api any = newClient(twoPages[In, Out, Options](&asked))
		for p := newPaginator(api.(API), new(In)); p.HasMorePages() && err == nil; {
			_, err = p.NextPage(ctx)
		}
		return asked, err
	}
	return l
}

// bare is a list for which it has none.
func bare[Client, In, Out, Options any](
	newClient func(Options, ...func(*Options)) *Client,
	call func(*Client, context.Context, *In, ...func(*Options)) (*Out, error),
	from, to string,
) list {
	return list{
		input: reflect.TypeFor[In]().String(), tokens: tokens{from, to},
		ours: func(ctx context.Context) (asked []any, err error) {
			client := newClient(twoPages[In, Out, Options](&asked))
			err = pages(ctx, func(ctx context.Context, in *In, o ...func(*Options)) (*Out, error) {
				return call(client, ctx, in, o...)
			}, new(In), func(*Out) error { return nil })
			return asked, err
		},
	}
}

// twoPages returns the options of a client that keeps what it is asked, and
// answers itself: first with the name of the field in every field that is a
// text, then with nothing.
func twoPages[In, Out, Options any](asked *[]any) (o Options) {
	answer := middleware.InitializeMiddlewareFunc("answer", func(_ context.Context, in middleware.InitializeInput, _ middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		out := new(Out)
		if len(*asked) == 0 {
			nameTexts(reflect.ValueOf(out).Elem(), "")
		}
		*asked = append(*asked, *in.Parameters.(*In))
		return middleware.InitializeOutput{Result: out}, middleware.Metadata{}, nil
	})
	fields := reflect.ValueOf(&o).Elem()
	fields.FieldByName("Region").SetString("eu-west-1")
	fields.FieldByName("APIOptions").Set(reflect.ValueOf([]func(*middleware.Stack) error{
		func(s *middleware.Stack) error { return s.Initialize.Add(answer, middleware.Before) },
	}))
	return o
}

func nameTexts(s reflect.Value, prefix string) {
	for field, v := range s.Fields() {
		switch {
		case !field.IsExported() || field.Type.Kind() != reflect.Pointer:
		case field.Type == reflect.TypeFor[*string]():
			v.Set(reflect.ValueOf(aws.String(prefix + field.Name)))
		case field.Type.Elem().Kind() == reflect.Struct && prefix == "":
			v.Set(reflect.New(field.Type.Elem()))
			nameTexts(v.Elem(), field.Name+".")
		}
	}
}

// lists are all that are read by their pages.
func lists() []list {
	return []list{
		like(acm.New, acm.NewListCertificatesPaginator, (*acm.Client).ListCertificates),
		like(apigateway.New, apigateway.NewGetRestApisPaginator, (*apigateway.Client).GetRestApis),
		like(autoscaling.New, autoscaling.NewDescribeAutoScalingGroupsPaginator, (*autoscaling.Client).DescribeAutoScalingGroups),
		like(autoscaling.New, autoscaling.NewDescribeLaunchConfigurationsPaginator, (*autoscaling.Client).DescribeLaunchConfigurations),
		like(cloudformation.New, cloudformation.NewDescribeAccountLimitsPaginator, (*cloudformation.Client).DescribeAccountLimits),
		like(cloudformation.New, cloudformation.NewDescribeStacksPaginator, (*cloudformation.Client).DescribeStacks),
		like(cloudfront.New, cloudfront.NewListDistributionsPaginator, (*cloudfront.Client).ListDistributions),
		like(cloudwatch.New, cloudwatch.NewDescribeAlarmsPaginator, (*cloudwatch.Client).DescribeAlarms),
		like(cloudwatch.New, cloudwatch.NewGetMetricDataPaginator, (*cloudwatch.Client).GetMetricData),
		like(codebuild.New, codebuild.NewListProjectsPaginator, (*codebuild.Client).ListProjects),
		like(dynamodb.New, dynamodb.NewListTablesPaginator, (*dynamodb.Client).ListTables),
		like(ec2.New, ec2.NewDescribeFlowLogsPaginator, (*ec2.Client).DescribeFlowLogs),
		like(ec2.New, ec2.NewDescribeImagesPaginator, (*ec2.Client).DescribeImages),
		like(ec2.New, ec2.NewDescribeInstanceTypesPaginator, (*ec2.Client).DescribeInstanceTypes),
		like(ec2.New, ec2.NewDescribeInstancesPaginator, (*ec2.Client).DescribeInstances),
		like(ec2.New, ec2.NewDescribeInternetGatewaysPaginator, (*ec2.Client).DescribeInternetGateways),
		like(ec2.New, ec2.NewDescribeLaunchTemplatesPaginator, (*ec2.Client).DescribeLaunchTemplates),
		like(ec2.New, ec2.NewDescribeNatGatewaysPaginator, (*ec2.Client).DescribeNatGateways),
		like(ec2.New, ec2.NewDescribeNetworkAclsPaginator, (*ec2.Client).DescribeNetworkAcls),
		like(ec2.New, ec2.NewDescribeNetworkInterfacesPaginator, (*ec2.Client).DescribeNetworkInterfaces),
		like(ec2.New, ec2.NewDescribeRouteTablesPaginator, (*ec2.Client).DescribeRouteTables),
		like(ec2.New, ec2.NewDescribeSecurityGroupsPaginator, (*ec2.Client).DescribeSecurityGroups),
		like(ec2.New, ec2.NewDescribeSnapshotsPaginator, (*ec2.Client).DescribeSnapshots),
		like(ec2.New, ec2.NewDescribeSubnetsPaginator, (*ec2.Client).DescribeSubnets),
		like(ec2.New, ec2.NewDescribeTransitGatewaysPaginator, (*ec2.Client).DescribeTransitGateways),
		like(ec2.New, ec2.NewDescribeVolumesPaginator, (*ec2.Client).DescribeVolumes),
		like(ec2.New, ec2.NewDescribeVpcEndpointsPaginator, (*ec2.Client).DescribeVpcEndpoints),
		like(ec2.New, ec2.NewDescribeVpcPeeringConnectionsPaginator, (*ec2.Client).DescribeVpcPeeringConnections),
		like(ec2.New, ec2.NewDescribeVpcsPaginator, (*ec2.Client).DescribeVpcs),
		like(ecr.New, ecr.NewDescribeRepositoriesPaginator, (*ecr.Client).DescribeRepositories),
		like(ecs.New, ecs.NewListAccountSettingsPaginator, (*ecs.Client).ListAccountSettings),
		like(ecs.New, ecs.NewListClustersPaginator, (*ecs.Client).ListClusters),
		like(ecs.New, ecs.NewListServicesPaginator, (*ecs.Client).ListServices),
		like(ecs.New, ecs.NewListTaskDefinitionFamiliesPaginator, (*ecs.Client).ListTaskDefinitionFamilies),
		like(ecs.New, ecs.NewListTasksPaginator, (*ecs.Client).ListTasks),
		like(efs.New, efs.NewDescribeAccessPointsPaginator, (*efs.Client).DescribeAccessPoints),
		like(efs.New, efs.NewDescribeFileSystemsPaginator, (*efs.Client).DescribeFileSystems),
		like(efs.New, efs.NewDescribeMountTargetsPaginator, (*efs.Client).DescribeMountTargets),
		like(eks.New, eks.NewDescribeClusterVersionsPaginator, (*eks.Client).DescribeClusterVersions),
		like(eks.New, eks.NewListClustersPaginator, (*eks.Client).ListClusters),
		like(elasticache.New, elasticache.NewDescribeCacheClustersPaginator, (*elasticache.Client).DescribeCacheClusters),
		like(elasticache.New, elasticache.NewDescribeReplicationGroupsPaginator, (*elasticache.Client).DescribeReplicationGroups),
		like(elb.New, elb.NewDescribeLoadBalancersPaginator, (*elb.Client).DescribeLoadBalancers),
		like(elbv2.New, elbv2.NewDescribeAccountLimitsPaginator, (*elbv2.Client).DescribeAccountLimits),
		like(elbv2.New, elbv2.NewDescribeListenersPaginator, (*elbv2.Client).DescribeListeners),
		like(elbv2.New, elbv2.NewDescribeLoadBalancersPaginator, (*elbv2.Client).DescribeLoadBalancers),
		like(elbv2.New, elbv2.NewDescribeRulesPaginator, (*elbv2.Client).DescribeRules),
		like(elbv2.New, elbv2.NewDescribeTargetGroupsPaginator, (*elbv2.Client).DescribeTargetGroups),
		like(iam.New, iam.NewGetAccountAuthorizationDetailsPaginator, (*iam.Client).GetAccountAuthorizationDetails),
		like(iam.New, iam.NewListServerCertificatesPaginator, (*iam.Client).ListServerCertificates),
		like(iam.New, iam.NewListVirtualMFADevicesPaginator, (*iam.Client).ListVirtualMFADevices),
		like(kinesis.New, kinesis.NewListStreamsPaginator, (*kinesis.Client).ListStreams),
		like(kms.New, kms.NewListKeysPaginator, (*kms.Client).ListKeys),
		like(lambda.New, lambda.NewListFunctionEventInvokeConfigsPaginator, (*lambda.Client).ListFunctionEventInvokeConfigs),
		like(lambda.New, lambda.NewListFunctionsPaginator, (*lambda.Client).ListFunctions),
		like(lambda.New, lambda.NewListVersionsByFunctionPaginator, (*lambda.Client).ListVersionsByFunction),
		like(rds.New, rds.NewDescribeDBClusterSnapshotsPaginator, (*rds.Client).DescribeDBClusterSnapshots),
		like(rds.New, rds.NewDescribeDBClustersPaginator, (*rds.Client).DescribeDBClusters),
		like(rds.New, rds.NewDescribeDBEngineVersionsPaginator, (*rds.Client).DescribeDBEngineVersions),
		like(rds.New, rds.NewDescribeDBInstancesPaginator, (*rds.Client).DescribeDBInstances),
		like(rds.New, rds.NewDescribeDBMajorEngineVersionsPaginator, (*rds.Client).DescribeDBMajorEngineVersions),
		like(rds.New, rds.NewDescribeDBParameterGroupsPaginator, (*rds.Client).DescribeDBParameterGroups),
		like(rds.New, rds.NewDescribeDBParametersPaginator, (*rds.Client).DescribeDBParameters),
		like(rds.New, rds.NewDescribeDBSecurityGroupsPaginator, (*rds.Client).DescribeDBSecurityGroups),
		like(rds.New, rds.NewDescribeDBSnapshotsPaginator, (*rds.Client).DescribeDBSnapshots),
		like(rds.New, rds.NewDescribeEventSubscriptionsPaginator, (*rds.Client).DescribeEventSubscriptions),
		like(redshift.New, redshift.NewDescribeClusterParametersPaginator, (*redshift.Client).DescribeClusterParameters),
		like(redshift.New, redshift.NewDescribeClustersPaginator, (*redshift.Client).DescribeClusters),
		like(route53.New, route53.NewListHealthChecksPaginator, (*route53.Client).ListHealthChecks),
		like(route53.New, route53.NewListHostedZonesPaginator, (*route53.Client).ListHostedZones),
		like(s3.New, s3.NewListBucketsPaginator, (*s3.Client).ListBuckets),
		like(secretsmanager.New, secretsmanager.NewListSecretsPaginator, (*secretsmanager.Client).ListSecrets),
		like(servicequotas.New, servicequotas.NewListAWSDefaultServiceQuotasPaginator, (*servicequotas.Client).ListAWSDefaultServiceQuotas),
		like(servicequotas.New, servicequotas.NewListServiceQuotasPaginator, (*servicequotas.Client).ListServiceQuotas),
		like(sns.New, sns.NewListTopicsPaginator, (*sns.Client).ListTopics),
		like(sqs.New, sqs.NewListQueuesPaginator, (*sqs.Client).ListQueues),

		bare(apigatewayv2.New, (*apigatewayv2.Client).GetApis, "NextToken", "NextToken"),
		bare(apigatewayv2.New, (*apigatewayv2.Client).GetRoutes, "NextToken", "NextToken"),
		bare(apigatewayv2.New, (*apigatewayv2.Client).GetStages, "NextToken", "NextToken"),
		bare(cloudfront.New, (*cloudfront.Client).ListCachePolicies, "CachePolicyList.NextMarker", "Marker"),
		bare(directconnect.New, (*directconnect.Client).DescribeConnections, "NextToken", "NextToken"),
		bare(directconnect.New, (*directconnect.Client).DescribeDirectConnectGateways, "NextToken", "NextToken"),
		bare(directconnect.New, (*directconnect.Client).DescribeVirtualInterfaces, "NextToken", "NextToken"),
		bare(elasticbeanstalk.New, (*elasticbeanstalk.Client).DescribeEnvironments, "NextToken", "NextToken"),
		bare(elb.New, (*elb.Client).DescribeAccountLimits, "NextMarker", "Marker"),
	}
}

func TestPagesAskWhatThePaginatorsOfTheSDKAsk(t *testing.T) {
	t.Parallel()
	for _, l := range lists() {
		t.Run(l.input, func(t *testing.T) {
			got, err := l.ours(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 2 {
				t.Fatalf("%d calls, want 2", len(got))
			}
			if l.theirs == nil {
				token, _ := reflect.ValueOf(got[1]).FieldByName(l.tokens.call).Interface().(*string)
				if aws.ToString(token) != l.tokens.answer {
					t.Errorf("the second call has the %s %q, want that of %s", l.tokens.call, aws.ToString(token), l.tokens.answer)
				}
				return
			}
			want, err := l.theirs(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("asked %+v, want as the SDK %+v", got, want)
			}
		})
	}
}

func TestEveryListIsComparedWithThePaginatorsOfTheSDK(t *testing.T) {
	t.Parallel()
	var want []string
	read := regexp.MustCompile(`\b(pages|gather|eachItem)\(ctx, .*\.(\w+), (input|&\w+\.\w+\{.*)`)
	alias := regexp.MustCompile(`(?m)^\t(\w+) "github.com/aws/aws-sdk-go-v2/service/(\w+)"`)
	for file, text := range sources(t) {
		names := map[string]string{}
		for _, m := range alias.FindAllStringSubmatch(text, -1) {
			names[m[1]] = m[2]
		}
		for _, m := range read.FindAllStringSubmatchIndex(text, -1) {
			operation := text[m[4]:m[5]]
			before := regexp.MustCompile(`&(\w+)\.`+operation+`Input\{`).FindAllStringSubmatch(text[:m[1]], -1)
			if before == nil {
				t.Errorf("%s: there is no input of %s before its pages are read", file, operation)
				continue
			}
			service := before[len(before)-1][1]
			if name, ok := names[service]; ok {
				service = name
			}
			want = append(want, service+"."+operation+"Input")
		}
	}
	var got []string
	for _, l := range lists() {
		got = append(got, l.input)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
		t.Errorf("lists() (-want +got):\n%s", diff)
	}
}

// With a paginator of the SDK, a client becomes an interface, and the program
// contains all operations of the service instead of the few that are called:
// it had 150 MB. [pages] says why.
func TestThePaginatorsOfTheSDKAreNotUsed(t *testing.T) {
	t.Parallel()
	for file, text := range sources(t) {
		for i, line := range strings.Split(text, "\n") {
			if strings.Contains(line, "Paginator(") {
				t.Errorf("%s:%d: a paginator of the SDK; use pages", file, i+1)
			}
		}
	}
}

// sources returns the package's files that are not tests.
func sources(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[file] = string(text)
	}
	if len(all) == 0 {
		t.Fatal("there are no files")
	}
	return all
}
