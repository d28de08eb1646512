package server

import (
	"context"
	"math"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/supportd/supportd/internal/accesslog"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/jobs"
)

// metrics counts and times requests and jobs. Its labels have few values: an account or
// a caller is never one.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	jobs     *prometheus.CounterVec
	jobTime  *prometheus.HistogramVec
	build    prometheus.Gauge
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "supportd_requests_total",
			Help: "Requests by operation of the API, HTTP status and error name.",
		}, []string{"operation", "status", "error"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "supportd_request_duration_seconds",
			Help:    "Time from the first byte of a request's headers to the end of its answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"operation"}),
		jobs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "supportd_jobs_total",
			Help: "Attempts at jobs by kind and outcome; one that is buried waits for an operator.",
		}, []string{"kind", "outcome"}),
		jobTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "supportd_job_duration_seconds",
			Help:    "Time that an attempt at a job took.",
			Buckets: []float64{.001, .01, .1, 1, 10, 60, 600},
		}, []string{"kind"}),
		build: prometheus.NewGauge(prometheus.GaugeOpts{
			Name:        "supportd_build_info",
			Help:        "The running version, always 1.",
			ConstLabels: prometheus.Labels{"version": Version()},
		}),
	}
	m.build.Set(1)
	m.registry.MustRegister(m.requests, m.duration, m.jobs, m.jobTime, m.build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(r *accesslog.Record) {
	operation := r.Operation
	if operation == "" {
		operation = "none"
	}
	m.requests.WithLabelValues(operation, strconv.Itoa(r.Status), r.ErrorCode).Inc()
	m.duration.WithLabelValues(operation).Observe(r.Duration.Seconds())
}

func (m *metrics) observeJob(o jobs.Observation) {
	m.jobs.WithLabelValues(o.Job.Kind, string(o.Outcome)).Inc()
	if o.Outcome != jobs.Rescued { // whose duration nobody knows
		m.jobTime.WithLabelValues(o.Job.Kind).Observe(o.Duration.Seconds())
	}
}

// countDead shows how many jobs wait for an operator: the counter of buried
// ones begins anew with each process.
func (m *metrics) countDead(runner *jobs.Runner) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "supportd_jobs_dead",
		Help: "Jobs that failed too often and wait for an operator, of all nodes; at most 1000 are counted.",
	}, func() float64 {
		const mostDead = 1000
		ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
		defer cancel()
		dead, err := runner.List(ctx, jobs.Filter{State: jobs.Dead}, mostDead)
		if err != nil {
			return math.NaN() // nobody knows; the readiness says why
		}
		return float64(len(dead))
	}))
}

// countCases shows how many cases agents have before them.
func (m *metrics) countCases(d *desk.Service) {
	m.registry.MustRegister(deskCases{d, prometheus.NewDesc("supportd_desk_cases",
		"Open cases in some views of the desk, of all accounts and nodes; at most 1000 are counted.", []string{"view"}, nil)})
}

// deskCases counts the cases in those views that are the same for all agents.
type deskCases struct {
	desk *desk.Service
	desc *prometheus.Desc
}

// Describe sends the description of the metric.
func (c deskCases) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

// Collect sends the counts, or none when nobody knows: the readiness says why.
func (c deskCases) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	counts, err := c.desk.Views(ctx, desk.Operator())
	if err != nil {
		return
	}
	for _, one := range counts {
		switch one.View {
		case desk.ViewOpen, desk.ViewUnassigned, desk.ViewWaiting, desk.ViewBreaching:
			to <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(one.Count), string(one.View))
		}
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
