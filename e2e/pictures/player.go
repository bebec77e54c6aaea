package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/gif"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	step     = 500 * time.Millisecond // between two pictures of an animation
	firstly  = time.Second            // its first picture is shown for so long
	lastly   = 5 * time.Second        // its last picture is shown for so long
	mostAnim = 1_500_000              // bytes
)

// playing writes the page that plays a recording, once it has been seen to.
func (s *studio) playing(c *cast, name string) error {
	file := filepath.Join(s.from, name)
	if err := c.writePage(file, playing); err != nil {
		return err
	}
	ctx, end, err := s.tab(1280, 800, 1)
	if err != nil {
		return err
	}
	defer end()
	if err := load(ctx, file); err != nil {
		return err
	}
	if err := wait(ctx, `player.getCurrentTime() > 2 && document.querySelector(".ap-term")`); err != nil {
		return err
	}
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.to, name), page, 0o644)
}

// stage is a tab as large as the player's terminal, which shows the recording
// as it was at one time after the other.
func (s *studio) stage(c *cast, scale float64) (context.Context, func(), error) {
	file := filepath.Join(s.from, "stage.html")
	if err := c.writePage(file, shooting); err != nil {
		return nil, nil, err
	}
	ctx, end, err := s.tab(1600, 1200, scale)
	if err != nil {
		return nil, nil, err
	}
	size := []float64{0, 0}
	err = load(ctx, file)
	if err == nil {
		err = wait(ctx, `document.querySelector(".ap-term") && player.getDuration() > 0`)
	}
	if err == nil {
		err = show(ctx, 0, "")
	}
	if err == nil {
		size, err = chromedp.Run(ctx, chromedp.Evaluate[[]float64](
			`(() => { const r = document.querySelector(".ap-player").getBoundingClientRect(); return [Math.ceil(r.width), Math.ceil(r.height)]; })()`))
	}
	if err == nil {
		err = chromedp.Do(ctx, chromedp.EmulateViewport(int64(size[0]), int64(size[1]), chromedp.EmulateScale(scale)))
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	return ctx, end, nil
}

// show shows the recording as it was at a time, and a key's name.
func show(ctx context.Context, seconds float64, key string) error {
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf(`(async () => {
		await player.seek(%f);
		document.getElementById("key").textContent = %q;
		for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame); // it is drawn
		return true;
	})()`, seconds, key), chromedp.EvalAwaitPromise))
	return err
}

// still takes one picture of a recording.
func (s *studio) still(c *cast, seconds float64, name string) error {
	ctx, end, err := s.stage(c, 2)
	if err != nil {
		return err
	}
	defer end()
	if err := show(ctx, seconds, ""); err != nil {
		return err
	}
	return s.keep(ctx, name)
}

// animation takes a picture of a recording at every step, and one of its end.
func (s *studio) animation(c *cast, name string) error {
	begin, err := c.begin()
	if err != nil {
		return err
	}
	ctx, end, err := s.stage(c, 1)
	if err != nil {
		return err
	}
	defer end()
	var shots []*image.RGBA
	for when := begin; ; when += step.Seconds() {
		if err := show(ctx, min(when, c.end()), c.key(when, 2*step)); err != nil {
			return err
		}
		shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			return err
		}
		img, err := decode(shot)
		if err != nil {
			return err
		}
		shots = append(shots, img)
		if when >= c.end() {
			break
		}
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, animate(shots)); err != nil {
		return err
	}
	if b.Len() > mostAnim {
		return fmt.Errorf("%s has %d bytes, more than %d", name, b.Len(), mostAnim)
	}
	return os.WriteFile(filepath.Join(s.to, name), b.Bytes(), 0o644)
}

// animate makes an endless animation of pictures of one size. Each holds only
// the part that differs from the one before.
func animate(shots []*image.RGBA) *gif.GIF {
	p := newPalette(shots...)
	out := &gif.GIF{Config: image.Config{ColorModel: p.colours, Width: shots[0].Rect.Dx(), Height: shots[0].Rect.Dy()}}
	var before *image.Paletted
	for _, shot := range shots {
		now := p.paint(shot)
		part := now
		if before != nil {
			part = difference(before, now)
		}
		before = now
		if part == nil {
			out.Delay[len(out.Delay)-1] += hundredths(step)
			continue
		}
		out.Image = append(out.Image, part)
		out.Delay = append(out.Delay, hundredths(step))
		out.Disposal = append(out.Disposal, gif.DisposalNone)
	}
	out.Delay[0] = hundredths(firstly)
	out.Delay[len(out.Delay)-1] = hundredths(lastly)
	return out
}

func hundredths(d time.Duration) int { return int(d / (10 * time.Millisecond)) }

// difference is the smallest part of now that has all that differs from before,
// transparent where nothing does; nil if they are the same.
func difference(before, now *image.Paletted) *image.Paletted {
	var box image.Rectangle
	for y := now.Rect.Min.Y; y < now.Rect.Max.Y; y++ {
		for x := now.Rect.Min.X; x < now.Rect.Max.X; x++ {
			if before.ColorIndexAt(x, y) != now.ColorIndexAt(x, y) {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if box.Empty() {
		return nil
	}
	part := image.NewPaletted(box, now.Palette)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			if i := now.ColorIndexAt(x, y); i != before.ColorIndexAt(x, y) {
				part.SetColorIndex(x, y, i)
			}
		}
	}
	return part
}
