package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func dynamodbKinds() []kind {
	return []kind{
		kindOf("dynamodb.table", regional, "dynamodb:ListTables,dynamodb:DescribeTable", readTables),
		kindOf("dynamodb.limits", regional, "dynamodb:DescribeLimits", readDynamoDBLimits),
	}
}

func (r *reader) dynamodb() *dynamodb.Client { return dynamodb.NewFromConfig(r.config) }

// Table is a table of DynamoDB.
type Table struct {
	types.TableDescription
	ContinuousBackups *types.ContinuousBackupsDescription `part:"dynamodb:DescribeContinuousBackups" doc:"Continuous backups and point-in-time recovery."`
}

func readTables(ctx context.Context, r *reader, emit emit[Table]) error {
	client := r.dynamodb()
	return pages(ctx, client.ListTables, &dynamodb.ListTablesInput{}, func(page *dynamodb.ListTablesOutput) error {
		return forEach(ctx, page.TableNames, func(ctx context.Context, name string) error {
			out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
			if hasCode(err, "ResourceNotFoundException") { // deleted since it was listed
				return nil
			}
			if err != nil {
				return err
			}
			table := Table{TableDescription: *out.Table}
			r.part("ContinuousBackups", func() error {
				out, err := client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
				if err == nil {
					table.ContinuousBackups = out.ContinuousBackupsDescription
				}
				return err
			}, "TableNotFoundException")
			return emit(aws.ToString(out.Table.TableArn), table)
		})
	})
}

func readDynamoDBLimits(ctx context.Context, r *reader, emit emit[dynamodb.DescribeLimitsOutput]) error {
	out, err := r.dynamodb().DescribeLimits(ctx, &dynamodb.DescribeLimitsInput{})
	if err != nil {
		return err
	}
	return emit(r.arn("dynamodb", "limits"), *out)
}
