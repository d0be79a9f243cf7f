// Package status decodes what the payloads of a job's event stream mean: Transloadit
// Assembly Statuses, the updates of their streams, and Scenario generation jobs. It
// knows nothing of SSE.
//
// Begin with [Peek] if all you want to know is whether to keep waiting, with
// [DecodeAssembly] for a whole Status, with [DecodeUpdate] for an event of the update
// stream, and with a [Tracker] to bring Statuses and updates together. [DecodeJob] and
// [PeekJob] do for Scenario what the others do for Assemblies, and [Decode] finds out which
// of the two systems a document comes from.
//
// All decoders are as strict about JSON as encoding/json, and forgiving
// about shapes: the API sends null and numbers in quotes where they are not expected,
// and a field that makes no sense is no reason to lose the others. A document that is
// decoded and encoded again says to encoding/json what it said before.
//
// Decoded values are plain structs. Reading one from several goroutines is safe, as long
// as none changes it or decodes into it.
package status
