package main

import "strconv"

// newNumbers returns the row that prints the numbers of the window's points,
// x and y in tenths of a px, and nothing else: what nobody who sends the whole
// chart can do without.
func newNumbers() drawer {
	d := newTable()
	return &redrawer{refresh: func(i int, b []byte) ([]byte, error) {
		for s := range series {
			for j, v := range d.v[s][i : i+points] {
				b = strconv.AppendInt(b, (d.t[i+j]-d.t[i])*width*10/(points*step), 10)
				b = append(b, ' ')
				b = strconv.AppendInt(b, int64((100-v)*height/10), 10)
				b = append(b, ' ')
			}
		}
		return b, nil
	}}
}

// newSamples returns the row that prints the new samples alone, as compact
// JSON: [t,v,v,v,v]. It is no chart: whoever is sent this has to draw it.
func newSamples() drawer {
	d := newTable()
	return &redrawer{refresh: func(i int, b []byte) ([]byte, error) {
		b = strconv.AppendInt(append(b, '['), d.t[i], 10)
		for s := range series {
			b = strconv.AppendFloat(append(b, ','), d.v[s][i], 'f', -1, 64)
		}
		return append(b, ']'), nil
	}}
}
