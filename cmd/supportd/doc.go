// Supportd is a self-hosted support service that speaks the AWS Support API
// (version 2013-04-15) so that AWS SDKs, the AWS CLI and the tools built on them
// work against it unchanged.
//
// # A tour of the code
//
// Follow one call, CreateCase, through the rooms:
//
//   - [github.com/supportd/supportd/internal/server] puts everything together
//     and listens. [github.com/supportd/supportd/internal/accesslog] gives the
//     request its id and, at the end, its one log record.
//   - [github.com/supportd/supportd/internal/supportapi] is the API: serve.go
//     examines the call step by step, create_case.go maps it in and out,
//     errors.go is the only table of wire errors.
//   - [github.com/supportd/supportd/internal/sigv4] verifies the signature with
//     the secret that [github.com/supportd/supportd/internal/iam] knows; iam
//     also decides whether plan and policies allow the operation.
//   - [github.com/supportd/supportd/internal/awsjson] decodes the input and
//     checks the constraints of the model.
//   - [github.com/supportd/supportd/internal/cases] has the rules. It asks
//     [github.com/supportd/supportd/internal/catalog] what a case may be about,
//     keeps files in [github.com/supportd/supportd/internal/blob], a folder or a
//     bucket (blob/s3blob), and everything else behind its Store interface.
//   - [github.com/supportd/supportd/internal/store] implements that interface in
//     SQL, for SQLite (sqlite.go, writer.go) and PostgreSQL (postgres.go,
//     lanes.go); batch.go commits the transactions of concurrent callers
//     together, and dialect.go is what differs.
//   - What is left for later is a job of [github.com/supportd/supportd/internal/jobs],
//     enqueued in the same transaction and done by the runner of any node.
//
// Trusted Advisor has a path of its own, without a server in supportd advisor run:
//
//   - [github.com/supportd/supportd/internal/inventory] is what an account has, as
//     plain data; [github.com/supportd/supportd/internal/collect] reads it from an
//     account, one file per service.
//   - [github.com/supportd/supportd/checks] has the checks, as data.
//     [github.com/supportd/supportd/internal/check] compiles them and computes
//     results, with the prices of [github.com/supportd/supportd/internal/price].
//   - [github.com/supportd/supportd/internal/report] tells results to people and
//     programs. In a server, [github.com/supportd/supportd/internal/advisor]
//     refreshes and keeps them for the API.
//
// Agents work on the other side of the case:
//
//   - [github.com/supportd/supportd/internal/desk] has their rules. Its Watch is
//     told of every change of a case and keeps the queues; clock.go makes
//     clocks of what happened, with the business time of
//     [github.com/supportd/supportd/internal/calendar].
//   - [github.com/supportd/supportd/internal/deskapi] is their API. Its routes
//     are one table, which is also the description that it serves.
//
// [github.com/supportd/supportd/internal/testmode] is what a server for tests has
// besides: clock, faults, request log, seeds, autopilot. The package supporttest
// makes it methods for Go tests.
//
// What goes wrong on the way is a [github.com/supportd/supportd/internal/fault]
// of the room where it happened. Secrets at rest and page tokens are sealed by
// [github.com/supportd/supportd/internal/seal].
//
// This package is the command line: flags, environment and configuration file
// in (settings.go), exit code out (main.go), one file for each subcommand.
package main
