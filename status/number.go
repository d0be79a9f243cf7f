package status

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// parseInteger reads a JSON number that is an integer of 64 bits, however it is
// written: 929, 929.0 and 9.29e2 are the same.
func parseInteger(s string) (int64, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	// Above 2^53 a float no longer tells one integer from the next.
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// parseFloat reads a JSON number that is within the range of a float.
func parseFloat(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, false
	}
	return f, true
}

// parseSeconds reads a JSON number of seconds, to the nanosecond if it has no exponent and
// no more digits than parsePlainSeconds takes.
func parseSeconds(s string) (time.Duration, bool) {
	plain, negative := strings.CutPrefix(s, "-")
	if n, ok := parsePlainSeconds(viewBytes(plain)); ok {
		if negative {
			n = -n
		}
		return time.Duration(n), true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(f) >= math.MaxInt64/1e9 {
		return 0, false
	}
	return time.Duration(math.Round(f * 1e9)), true
}

// appendSeconds appends d in seconds, with as many decimals as it needs.
func appendSeconds(dst []byte, d time.Duration) []byte {
	u := uint64(d)
	if d < 0 {
		dst = append(dst, '-')
		u = -u
	}
	dst = strconv.AppendUint(dst, u/1e9, 10)
	if u %= 1e9; u > 0 {
		dst = append(dst, '.')
		for unit := uint64(1e8); u > 0; unit /= 10 {
			dst = append(dst, '0'+byte(u/unit))
			u %= unit
		}
	}
	return dst
}

// parseTime reads the API's form of a date, 2026/05/07 16:10:57 GMT, and the ISO
// form that Scenario uses.
func parseTime(s string) (time.Time, bool) {
	if len(s) == len(apiTime) && s[4] == '/' {
		if t, ok := parseAPITime(s); ok {
			return t, true
		}
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC(), err == nil
}

const apiTime = "2006/01/02 15:04:05 GMT"

func parseAPITime(s string) (time.Time, bool) {
	if s[7] != '/' || s[10] != ' ' || s[13] != ':' || s[16] != ':' || s[19:] != " GMT" {
		return time.Time{}, false
	}
	century, ok1 := twoDigits(s, 0)
	year, ok2 := twoDigits(s, 2)
	month, ok3 := twoDigits(s, 5)
	day, ok4 := twoDigits(s, 8)
	hour, ok5 := twoDigits(s, 11)
	minute, ok6 := twoDigits(s, 14)
	second, ok7 := twoDigits(s, 17)
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7) ||
		month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(century*100+year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t, day <= 28 || t.Day() == day
}

func twoDigits(s string, i int) (int, bool) {
	a, b := s[i]-'0', s[i+1]-'0'
	return int(a)*10 + int(b), a < 10 && b < 10
}

// appendDate appends t in the form of the value that it replaces. If there is none it takes
// the ISO form or, unless iso is set, the API's, which has whole seconds. The zero time is null.
func appendDate(dst []byte, t time.Time, was string, iso bool) []byte {
	if t.IsZero() {
		return append(dst, "null"...)
	}
	if len(was) > 5 && was[0] == '"' {
		iso = was[5] == '-'
	}
	layout := apiTime
	switch {
	case iso && t.Nanosecond()%int(time.Millisecond) == 0:
		layout = "2006-01-02T15:04:05.000Z"
	case iso:
		layout = "2006-01-02T15:04:05.000000000Z"
	}
	dst = append(dst, '"')
	return append(t.UTC().AppendFormat(dst, layout), '"')
}

// appendFloat appends f, and null for what JSON has no number for.
func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// parsePlain reads an integer of up to 18 digits without a sign. It leaves other numbers
// to parseInteger.
func parsePlain(s []byte) (n int64, ok bool) {
	if len(s) > 18 {
		return 0, false
	}
	for _, c := range s {
		if c -= '0'; c >= 10 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	return n, true
}

// parsePlainSeconds reads a number of seconds without a sign, as nanoseconds. It leaves to
// parseSeconds what is longer than 19 bytes, has an exponent or more than 9 digits after the
// point, or does not fit.
func parsePlainSeconds(s []byte) (n int64, ok bool) {
	if len(s) > 19 {
		return 0, false
	}
	sum, unit, point := uint64(0), uint64(time.Second), false
	for _, c := range s {
		if c == '.' {
			point = true
			continue
		}
		if c -= '0'; c >= 10 || unit == 1 {
			return 0, false
		}
		sum = sum*10 + uint64(c)
		if point {
			unit /= 10
		}
	}
	return int64(sum * unit), sum <= math.MaxInt64/unit
}
