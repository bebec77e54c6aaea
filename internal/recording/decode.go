package recording

import (
	"encoding/json"
	"errors"

	fastjson "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// decode reads an event. encoding/json takes three times as long as what will follow it,
// which is stricter: what that refuses, encoding/json reads or refuses, with its words.
func decode(text []byte, e *series.Event) error {
	if fastjson.Unmarshal(text, e, decoding) == nil {
		return nil
	}
	*e = series.Event{}
	return json.Unmarshal(text, e)
}

var decoding = fastjson.JoinOptions(
	jsonv1.FormatDurationAsNano(true),
	fastjson.WithUnmarshalers(fastjson.UnmarshalFromFunc(decodeCounts)),
)

// decodeCounts reads what [socketstats.Counts.UnmarshalJSON] reads, without its map.
func decodeCounts(from *jsontext.Decoder, c *socketstats.Counts) error {
	begin, err := from.ReadToken()
	if err != nil || begin.Kind() != jsontext.KindBeginObject {
		return errors.Join(errNoCounts, err)
	}
	*c = socketstats.Counts{}
	for from.PeekKind() == jsontext.KindString {
		name, err := from.ReadToken()
		if err != nil {
			return err
		}
		key := name.String() // the next token takes its place
		number, err := from.ReadToken()
		if err != nil || number.Kind() != jsontext.KindNumber {
			return errors.Join(errNoCounts, err)
		}
		n, err := number.Int()
		if err != nil || n != int64(int32(n)) {
			return errors.Join(errNoCounts, err)
		}
		if err := c.Set(key, int32(n)); err != nil {
			return err
		}
	}
	_, err = from.ReadToken() // the end of the object
	return err
}

var errNoCounts = errors.New("no socket counts")
