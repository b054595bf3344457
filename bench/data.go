package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"time"
)

// What every row draws.
const (
	series = 4
	points = 1_000 // of each series in the window
	width  = 800   // px
	height = 400   // px
	step   = 1_000 // ms between two samples
	title  = "Load"
)

// names are the series' names, as every row's legend says them.
var names = [series]string{"web1", "web2", "web3", "web4"}

// start is the time of the first sample, in ms since the Unix epoch. It is
// fixed, so that two runs draw the same.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// sample returns the i-th value of a series: a load in percent that rises and
// falls slowly, with some noise, to a hundredth: the height of the chart in
// tenths of a px has some 3,000 steps, and a sample should not be coarser than
// what is drawn of it. It is the same for every row, in every run.
func sample(i int64, s int) float64 {
	x, k := float64(i), float64(s)
	v := 20 + 15*k + 6*math.Sin(x/97+k) + 3*math.Sin(x/13.7+2*k) + 2*math.Sin(x/3.1+3*k)
	v += float64(noise(uint64(i)*series+uint64(s))%301)/100 - 1.5
	return math.Round(v*100) / 100
}

// noise mixes the bits of x (the finaliser of SplitMix64).
func noise(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// table holds the first rows of the data in the form that stock plotters take.
// Those who use it show the window table[i%turns : i%turns+points].
type table struct {
	t []int64 // ms
	v [series][]float64
}

// turns is after how many refreshes a table starts again from its beginning.
const turns = 2_000

func newTable() *table {
	d := &table{}
	for i := range int64(points + turns) {
		d.t = append(d.t, start+i*step)
		for s := range series {
			d.v[s] = append(d.v[s], sample(i, s))
		}
	}
	return d
}

// write writes the table as lines of "t,v,v,v,v" for the rows that are not Go.
func (d *table) write(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for i, t := range d.t {
		fmt.Fprintf(w, "%d", t)
		for s := range series {
			fmt.Fprintf(w, ",%g", d.v[s][i])
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
