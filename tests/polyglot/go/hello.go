package main

import "clockbox"

type args struct {
	Name string `json:"name" clockbox:"required"`
}

func init() {
	clockbox.Job(func(a args) (string, error) { return "hello " + a.Name, nil })
}

func main() {}
