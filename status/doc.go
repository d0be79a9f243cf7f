// Package status decodes what the payloads of a job's event stream mean:
// Transloadit Assembly Statuses, the updates of their streams, and Scenario
// generation jobs. It knows nothing of SSE.
package status
