package main

import (
	"image"
	"image/color"
	"slices"
)

// palette is at most 256 colours. The first is transparent, for what does not
// change in an animation. It is for one goroutine.
type palette struct {
	colours color.Palette
	nearest map[color.RGBA]uint8
}

// newPalette takes the commonest colours of some pictures. Colours that differ
// by less than an eye sees are one, the commonest of them.
func newPalette(imgs ...*image.RGBA) *palette {
	count := map[color.RGBA]int{}
	for _, img := range imgs {
		for i := 0; i < len(img.Pix); i += 4 {
			count[color.RGBA{img.Pix[i], img.Pix[i+1], img.Pix[i+2], 255}]++
		}
	}
	type kind struct {
		of       color.RGBA
		all, top int
	}
	kinds := map[color.RGBA]*kind{}
	for c, n := range count {
		coarse := color.RGBA{c.R &^ 7, c.G &^ 7, c.B &^ 7, 255}
		k := kinds[coarse]
		if k == nil {
			k = &kind{}
			kinds[coarse] = k
		}
		k.all += n
		if n > k.top || n == k.top && before(c, k.of) {
			k.of, k.top = c, n
		}
	}
	sorted := make([]*kind, 0, len(kinds))
	for _, k := range kinds {
		sorted = append(sorted, k)
	}
	slices.SortFunc(sorted, func(a, b *kind) int {
		if a.all != b.all {
			return b.all - a.all
		}
		if before(a.of, b.of) {
			return -1
		}
		return 1
	})
	p := &palette{colours: color.Palette{color.RGBA{}}, nearest: map[color.RGBA]uint8{}}
	for _, k := range sorted[:min(len(sorted), 255)] {
		p.colours = append(p.colours, k.of)
	}
	return p
}

// before orders colours, so that the same picture has the same palette again.
func before(a, b color.RGBA) bool {
	return slices.Compare([]uint8{a.R, a.G, a.B}, []uint8{b.R, b.G, b.B}) < 0
}

// paint is a picture in the palette's colours.
func (p *palette) paint(img *image.RGBA) *image.Paletted {
	out := image.NewPaletted(img.Rect, p.colours)
	for i := range out.Pix {
		c := color.RGBA{img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], 255}
		n, known := p.nearest[c]
		if !known {
			n = uint8(p.colours[1:].Index(c) + 1)
			p.nearest[c] = n
		}
		out.Pix[i] = n
	}
	return out
}
