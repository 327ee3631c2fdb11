;; Makes HTTP requests that it never sends, each with an authority and a method of a megabyte: what a guest has in the host
;; beside its own memory. No right is needed for it.
(component
  (import "wasi:http/types@0.2.0" (instance $http
    (export "fields" (type $fields (sub resource)))
    (export "outgoing-request" (type $request (sub resource)))
    (type $method' (variant (case "get") (case "head") (case "post") (case "put") (case "delete") (case "connect")
      (case "options") (case "trace") (case "patch") (case "other" string)))
    (export "method" (type $method (eq $method')))
    (export "[constructor]fields" (func (result (own $fields))))
    (export "[constructor]outgoing-request" (func (param "headers" (own $fields)) (result (own $request))))
    (export "[method]outgoing-request.set-method"
      (func (param "self" (borrow $request)) (param "method" $method) (result (result))))
    (export "[method]outgoing-request.set-authority"
      (func (param "self" (borrow $request)) (param "authority" (option string)) (result (result))))))
  (core module $libc (memory (export "memory") 32))
  (core instance $libc (instantiate $libc))
  (core func $fields (canon lower (func $http "[constructor]fields")))
  (core func $request (canon lower (func $http "[constructor]outgoing-request")))
  (core func $method (canon lower (func $http "[method]outgoing-request.set-method")
    (memory (core memory $libc "memory"))))
  (core func $authority (canon lower (func $http "[method]outgoing-request.set-authority")
    (memory (core memory $libc "memory"))))
  (core module $guest
    (import "libc" "memory" (memory 32))
    (import "host" "fields" (func $fields (result i32)))
    (import "host" "request" (func $request (param i32) (result i32)))
    (import "host" "method" (func $method (param i32 i32 i32 i32) (result i32)))
    (import "host" "authority" (func $authority (param i32 i32 i32 i32) (result i32)))
    (func (export "run") (result i32) (local $request i32) (local $i i32)
      (memory.fill (i32.const 65536) (i32.const 97) (i32.const 1048576))
      (loop $again
        (local.set $request (call $request (call $fields)))
        (drop (call $method (local.get $request) (i32.const 9) (i32.const 65536) (i32.const 1048576)))
        (drop (call $authority (local.get $request) (i32.const 1) (i32.const 65536) (i32.const 1048576)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const 900))))
      (i32.const 1)))
  (core instance $guest (instantiate $guest
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "fields" (func $fields))
      (export "request" (func $request))
      (export "method" (func $method))
      (export "authority" (func $authority))))))
  (func $run (result (result)) (canon lift (core func $guest "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
