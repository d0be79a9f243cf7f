module github.com/ssereel/ssereel

go 1.26
