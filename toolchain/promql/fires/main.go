// Command hearth-promql says whether alerts would fire on given series, with Prometheus' own engine.
//
// It reads {"alerts": [{"expr", "for", "series"}]} from standard input. Series are in the notation of promtool's tests, a sample a minute. It writes
// {"fires": [true, …]} to standard output. An alert fires once its expression has had one and the same result for as long as `for` says.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// interval is between two samples, and between two evaluations of a rule.
const interval = time.Minute

type request struct {
	Alerts []alert `json:"alerts"`
}

type alert struct {
	// Expr is an expression of PromQL.
	Expr string `json:"expr"`
	// For is a duration as Prometheus writes it, such as 15m. At once if it is empty.
	For string `json:"for"`
	// Series are each as in `up{job="etcd"} 1x60`. Time begins at 0.
	Series []string `json:"series"`
}

type answer struct {
	Fires []bool `json:"fires"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hearth-promql:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var asked request
	if err := json.NewDecoder(in).Decode(&asked); err != nil {
		return fmt.Errorf("the request: %w", err)
	}
	p := parser.NewParser(parser.Options{})
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1e8, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: p,
	})
	said := answer{Fires: []bool{}}
	for _, each := range asked.Alerts {
		fires, err := each.fires(engine, p)
		if err != nil {
			return fmt.Errorf("%s: %w", each.Expr, err)
		}
		said.Fires = append(said.Fires, fires)
	}
	return json.NewEncoder(out).Encode(said)
}

func (a alert) fires(engine *promql.Engine, p parser.Parser) (bool, error) {
	series, minutes, err := a.parsed(p)
	if err != nil {
		return false, err
	}
	least := time.Duration(0)
	if a.For != "" {
		duration, err := model.ParseDuration(a.For)
		if err != nil {
			return false, err
		}
		least = time.Duration(duration)
	}
	end := time.Unix(0, 0).Add(time.Duration(minutes) * interval)
	query, err := engine.NewRangeQuery(context.Background(), series, nil, a.Expr, time.Unix(0, 0), end, interval)
	if err != nil {
		return false, err
	}
	defer query.Close()
	result := query.Exec(context.Background())
	matrix, err := result.Matrix()
	if err != nil {
		return false, err
	}
	for _, found := range matrix {
		if lasts(found.Floats, least) {
			return true, nil
		}
	}
	return false, nil
}

// lasts tells whether points follow each other without a gap for as long as an alert has to be pending.
func lasts(points []promql.FPoint, least time.Duration) bool {
	var since int64
	for index, point := range points {
		if index == 0 || point.T-points[index-1].T > interval.Milliseconds() {
			since = point.T
		}
		if point.T-since >= least.Milliseconds() {
			return true
		}
	}
	return false
}

// parsed returns the series, and how many minutes the longest one lasts.
func (a alert) parsed(p parser.Parser) (storage.Queryable, int, error) {
	minutes := 0
	all := []storage.Series{}
	for _, text := range a.Series {
		name, values, err := p.ParseSeriesDesc(text)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", text, err)
		}
		points := []promql.FPoint{}
		for minute, value := range values {
			if !value.Omitted {
				points = append(points, promql.FPoint{T: int64(minute) * interval.Milliseconds(), F: value.Value})
			}
		}
		minutes = max(minutes, len(values)-1)
		all = append(all, promql.NewStorageSeries(promql.Series{Metric: name, Floats: points}))
	}
	return memory(all), minutes, nil
}

// memory holds all series that there are.
type memory []storage.Series

func (m memory) Querier(_, _ int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		found := []storage.Series{}
		for _, each := range m {
			if matches(each.Labels(), matchers) {
				found = append(found, each)
			}
		}
		return &set{series: found, at: -1}
	}}, nil
}

func matches(name labels.Labels, matchers []*labels.Matcher) bool {
	for _, matcher := range matchers {
		if !matcher.Matches(name.Get(matcher.Name)) {
			return false
		}
	}
	return true
}

// set goes through series. Its At is before the first one, where it begins.
type set struct {
	series []storage.Series
	at     int
}

func (s *set) Next() bool {
	s.at++
	return s.at < len(s.series)
}

func (s *set) At() storage.Series { return s.series[s.at] }

func (*set) Err() error { return nil }

func (*set) Warnings() annotations.Annotations { return nil }
