package status

import "bytes"

// A pair is one member of an object: the indexes in the document where its parts begin
// and end.
type pair struct {
	key, keyEnd int // between the quotes
	value, end  int // of a string with its quotes
}

// A stop is where pairs has stopped.
type stop int

const (
	atKey   stop = iota // at a member that has to be read with care, or where there is none
	atValue             // likewise, but the pair after the last one has its key, and where its value begins
	atEnd               // after the object, whose last member is the last pair
)

// pairs finds the members of an object from the key at b[i] on, as many as there is room
// for in out, which is at least one, as long as they are plain: key and value all in ASCII
// and without escape sequences, numbers without an exponent and no longer than 32 bytes
// and a sign, objects and arrays empty, and a comma after the value, with no white space but
// one space after the colon and any after the comma. That is most of what a Status consists
// of. It returns how many there are, where the member after them begins, or white space
// before it, and how far that one is plain.
//
// Members whose key is not among keys, see keyBit, are passed over. With anyKey the last
// member of an object is plain too, if no more than 32 bytes of white space are between it
// and the brace.
//
// What it has found is sound JSON, passed over or not, and keyRoom bytes of b can be loaded
// from a key's opening quote on. It does not check the depth: the caller has to know that
// empty objects and arrays here are no deeper than maxDepth.
func pairs(b []byte, i int, out []pair, keys uint64) (n, next int, where stop) {
	if limit := len(b) - slack; i < limit {
		return findPairs(b, i, min(limit, i+stretch), out, keys)
	}
	if len(b)-i <= keyRoom {
		return 0, i, atKey
	}
	// Near its end a document goes on in a copy with zeros after it, so that nobody has to
	// look for the end at each byte. No member goes on into the zeros, since a comma has to
	// follow it, and none begins where less than keyRoom bytes of b are left.
	var tail [2 * slack]byte
	n, next, where = findPairs(tail[:], 0, copy(tail[:slack], b[i:])-keyRoom, out, keys)
	found := n
	if where == atValue {
		found++ // a part of one
	}
	for k := range out[:found] {
		p := &out[k]
		p.key += i
		p.keyEnd += i
		p.value += i
		p.end += i
	}
	return n, i + next, where
}

// anyKey are all keys.
const anyKey = ^uint64(0)

// keyBit is what a set of keys has for one that is n bytes long. It has the same for some
// others, so whoever asks for a few keys gets a few more.
func keyBit(first byte, n int) uint64 { return 1 << ((uint(first) + 8*uint(n)) & 63) }

// keySet is the set of some keys.
func keySet(all ...string) (keys uint64) {
	for _, key := range all {
		keys |= keyBit(key[0], len(key))
	}
	return keys
}

// slack is how many bytes there are beyond the limit, from which on no member begins and
// no further 64 bytes are searched. What begins before it is followed for some bytes
// more, in the assembly as far as limit+132.
//
// stretch is how far a search goes at once, in bytes: the scheduler cannot interrupt it.
//
// keyRoom is no less than the length of the longest key of a layout, with its quotes and the
// colon.
const (
	slack   = 144
	stretch = 1 << 16
	keyRoom = 40
)

// pairsPortable is pairs for a b that goes on for slack bytes beyond the limit. It follows
// white space for half of them, so that there is a byte to look at after it.
func pairsPortable(b []byte, i, limit int, out []pair, keys uint64) (n, next int, where stop) {
	for n < len(out) {
		if i >= limit || b[i] != '"' {
			return n, i, atKey
		}
		p := &out[n]
		p.key = i + 1
		end := plainEnd(b, p.key, limit)
		if load64(b, end)&0xffff != '"'|':'<<8 {
			return n, i, atKey
		}
		p.keyEnd = end
		v := end + 2
		if b[v] == ' ' {
			v++
		}
		p.value = v
		switch c := b[v]; {
		case c == '"':
			if end = plainEnd(b, v+1, limit); b[end] != '"' {
				return n, i, atValue
			}
			end++
		case c == 'n' || c == 't' || c == 'f':
			if end = literalEnd(b, v); end < 0 {
				return n, i, atValue
			}
		case c == '[' && b[v+1] == ']', c == '{' && b[v+1] == '}':
			end = v + 2
		default:
			digits := v
			if c == '-' {
				digits++
			}
			if end = numberEnd(b[:digits+32], v); end < 0 || bytes.ContainsAny(b[v:end], "eE") {
				return n, i, atValue
			}
		}
		p.end = end
		if b[end] != ',' {
			if end = skipSpace(b[:end+32], end); b[end] == '}' && keys == anyKey {
				return n + 1, end + 1, atEnd
			}
			return n, i, atValue
		}
		if i = end + 1; b[i] != '"' {
			i = skipSpace(b[:limit+slack/2], i)
		}
		if keys&keyBit(b[p.key], p.keyEnd-p.key) != 0 {
			n++
		}
	}
	return n, i, atKey
}
