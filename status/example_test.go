package status_test

import (
	"fmt"
	"log"

	"github.com/ssereel/ssereel/status"
)

func ExamplePeek() {
	body := []byte(`{"ok":"ASSEMBLY_EXECUTING","http_code":200,"assembly_id":"5b0f2c9d","bytes_received":929,"bytes_expected":929,"results":{}}`)
	head, err := status.Peek(body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(head.State, head.Phase(), head.Terminal(), head.HTTPCode())

	head, err = status.Peek([]byte(`{"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED","http_code":429}`))
	if err != nil {
		log.Fatal(err)
	}
	if wait, ok := head.Error.RetryAfter(); ok {
		fmt.Println("again in", wait)
	}
	// Output:
	// ASSEMBLY_EXECUTING running false 200
	// again in 1s
}

func ExampleDecodeAssembly() {
	body := []byte(`{"ok":"ASSEMBLY_COMPLETED","assembly_id":"5b0f2c9d","execution_duration":12.131,
		"results":{"resized":[{"id":"8f14e45f","name":"lake.jpg","size":48211,"meta":{"width":800,"height":600}}]},"brand_new":1.50}`)
	var a status.Assembly
	if err := status.DecodeAssembly(body, &a); err != nil {
		log.Fatal(err)
	}
	for _, f := range a.Result("resized") {
		width, _ := f.Meta.Width()
		fmt.Println(f.Name, f.Size, "bytes,", width, "pixels wide, in", a.ExecutionDuration)
	}
	fmt.Println(a.Lookup("brand_new"))

	a.Results[0].Files[0].SSLURL = "https://files.example.com/lake.jpg"
	out, err := a.AppendJSON(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(out))
	// Output:
	// lake.jpg 48211 bytes, 800 pixels wide, in 12.131s
	// 1.50
	// {"ok":"ASSEMBLY_COMPLETED","assembly_id":"5b0f2c9d","execution_duration":12.131,"results":{"resized":[{"id":"8f14e45f","name":"lake.jpg","size":48211,"meta":{"width":800,"height":600},"ssl_url":"https://files.example.com/lake.jpg"}]},"brand_new":1.50}
}

func ExampleDecodeUpdate() {
	for _, event := range [][2]string{
		{"assembly_execution_progress", `{"progress_combined":50,"progress_per_original_file":[{"original_id":"5b0f2c9d","progress":75}]}`},
		{"assembly_result_finished", `["resized",{"id":"8f14e45f","name":"lake.jpg"}]`},
		{"", "assembly_finished"},
	} {
		u, err := status.DecodeUpdate([]byte(event[0]), []byte(event[1]))
		if err != nil {
			log.Fatal(err)
		}
		switch u.Kind {
		case status.UpdateExecutionProgress:
			fmt.Println(u.Percent, "percent")
			for id, percent := range u.PerFile() {
				fmt.Println(string(id), percent, "percent")
			}
		case status.UpdateResultFinished:
			fmt.Println(u.Step, "made", u.File.Name)
		case status.UpdateAssemblyFinished:
			fmt.Println("done")
		}
	}
	// Output:
	// 50 percent
	// 5b0f2c9d 75 percent
	// resized made lake.jpg
	// done
}

func ExampleTracker() {
	var t status.Tracker
	update := func(eventType, data string) {
		u, err := status.DecodeUpdate([]byte(eventType), []byte(data))
		if err != nil {
			log.Fatal(err)
		}
		c := t.Update(u)
		for _, r := range c.Results {
			fmt.Println(r.Step, "has", r.File.Name)
		}
		if c.State {
			fmt.Println(t.Assembly().State)
		}
	}
	update("assembly_result_finished", `["resized",{"id":"8f14e45f","name":"lake.jpg"}]`)
	update("assembly_result_finished", `["resized",{"id":"8f14e45f","name":"lake.jpg"}]`)
	update("", "assembly_finished")
	update("assembly_result_finished", `["resized",{"id":"c9f0f895","name":"dawn.jpg"}]`)

	var late status.Assembly
	if err := status.DecodeAssembly([]byte(`{"ok":"ASSEMBLY_EXECUTING","assembly_id":"5b0f2c9d"}`), &late); err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Status(&late).State, t.Assembly().State, len(t.Assembly().Result("resized")))
	// Output:
	// resized has lake.jpg
	// ASSEMBLY_COMPLETED
	// resized has dawn.jpg
	// false ASSEMBLY_COMPLETED 2
}

func ExampleDecodeJob() {
	body := []byte(`{"job":{"jobId":"job_8f14","jobType":"detection","status":"in-progress","progress":0.25,"statusHistory":[{"date":"2026-05-07T16:10:57.161Z","status":"queued"}]}}`)
	var j status.Job
	if err := status.DecodeJob(body, &j); err != nil {
		log.Fatal(err)
	}
	fmt.Println(j.ID, j.Status, j.Phase(), j.Progress, j.History[0].Date)
	// Output:
	// job_8f14 in-progress running 0.25 2026-05-07 16:10:57.161 +0000 UTC
}

func ExampleDecode() {
	d, err := status.Decode([]byte(`{"job":{"jobId":"job_8f14","status":"success","progress":1}}`))
	if err != nil {
		log.Fatal(err)
	}
	s := d.Summary()
	fmt.Println(s.System, s.ID, s.Phase)
	// Output:
	// scenario job_8f14 succeeded
}
