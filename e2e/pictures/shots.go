package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/chromedp"
)

const mostBytes = 250_000 // of a still

// tab opens a tab of a profile of its own, for two minutes at most.
func (s *studio) tab(width, height int64, scale float64) (context.Context, func(), error) {
	ctx, closeTab := chromedp.NewContext(s.ctx, chromedp.WithNewBrowserContext())
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	end := func() { cancel(); closeTab() }
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height, chromedp.EmulateScale(scale))); err != nil {
		end()
		return nil, nil, err
	}
	return ctx, end, nil
}

// wait waits until an expression is true.
func wait(ctx context.Context, expression string) error {
	_, err := chromedp.Run(ctx, chromedp.Poll[bool]("!!("+expression+")",
		chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(time.Minute)))
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", expression, err)
	}
	return nil
}

func fileURL(file string) (string, error) {
	abs, err := filepath.Abs(file)
	return (&url.URL{Scheme: "file", Path: abs}).String(), err
}

// load opens a file of this machine in a tab.
func load(ctx context.Context, file string) error {
	at, err := fileURL(file)
	if err != nil {
		return err
	}
	return chromedp.Do(ctx, chromedp.Navigate(at))
}

// keep writes what a tab shows as a PNG of at most 256 colours.
func (s *studio) keep(ctx context.Context, name string) error {
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	img, err := decode(shot)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, newPalette(img).paint(img)); err != nil {
		return err
	}
	if b.Len() > mostBytes {
		return fmt.Errorf("%s has %d bytes, more than %d", name, b.Len(), mostBytes)
	}
	return os.WriteFile(filepath.Join(s.to, name), b.Bytes(), 0o644)
}

func decode(data []byte) (*image.RGBA, error) {
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out, nil
}
