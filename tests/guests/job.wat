;; A job component that ends as its arguments say, by their first character:
;;   0 without output   1 with its arguments as its output   2 invalid-args   3 retry
;;   4 retry-after, 5 s   5 fatal   6 cancelled   7 with output that is not JSON   anything else traps
(component
  (import "clockbox:job/types@0.1.0" (instance $types
    (type $failure' (record (field "code" string) (field "message" string)))
    (export "failure" (type $failure (eq $failure')))
    (type $retry-after' (record (field "failure" $failure) (field "delay-ms" u64)))
    (export "retry-after" (type $retry-after (eq $retry-after')))
    (type $job-error' (variant
      (case "invalid-args" $failure)
      (case "retry" $failure)
      (case "retry-after" $retry-after)
      (case "fatal" $failure)
      (case "cancelled" $failure)))
    (export "job-error" (type (eq $job-error')))))
  (alias export $types "job-error" (type $job-error))

  (core module $guest
    (memory (export "memory") 1)
    (data (i32.const 1000) "as-told")
    (data (i32.const 1010) "the arguments asked for this end")
    (data (i32.const 1050) "{not json")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      ;; Only the arguments come this way, once an instance.
      (i32.const 4096))
    ;; The result at 0. Success: 0 at 0, whether there is output at 8, its address and length at 12.
    ;; Failure: 1 at 0, the case at 8, code and message as addresses and lengths from 16, the delay at 32.
    (func (export "run") (param $args i32) (param $length i32) (result i32) (local $told i32)
      (local.set $told (i32.sub (i32.load8_u (local.get $args)) (i32.const 48)))
      (if (i32.eqz (local.get $told)) (then (return (i32.const 0))))
      (if (i32.eq (local.get $told) (i32.const 1))
        (then (return (call $output (local.get $args) (local.get $length)))))
      (if (i32.eq (local.get $told) (i32.const 7))
        (then (return (call $output (i32.const 1050) (i32.const 9)))))
      (if (i32.gt_u (local.get $told) (i32.const 6)) (then unreachable))
      (i32.store8 (i32.const 0) (i32.const 1))
      (i32.store8 (i32.const 8) (i32.sub (local.get $told) (i32.const 2)))
      (i32.store (i32.const 16) (i32.const 1000))
      (i32.store (i32.const 20) (i32.const 7))
      (i32.store (i32.const 24) (i32.const 1010))
      (i32.store (i32.const 28) (i32.const 32))
      (i64.store (i32.const 32) (i64.const 5000))
      (i32.const 0))
    (func $output (param $text i32) (param $length i32) (result i32)
      (i32.store8 (i32.const 8) (i32.const 1))
      (i32.store (i32.const 12) (local.get $text))
      (i32.store (i32.const 16) (local.get $length))
      (i32.const 0)))
  (core instance $core (instantiate $guest))
  (func $run (param "args" string) (result (result (option string) (error $job-error)))
    (canon lift (core func $core "run")
      (memory (core memory $core "memory")) (realloc (core func $core "realloc"))))

  ;; An exported function may only speak of types that have a name outside: this inner component gives them one.
  (component $runner
    (type $failure' (record (field "code" string) (field "message" string)))
    (import "failure" (type $failure (eq $failure')))
    (type $retry-after' (record (field "failure" $failure) (field "delay-ms" u64)))
    (import "retry-after" (type $retry-after (eq $retry-after')))
    (type $job-error' (variant
      (case "invalid-args" $failure)
      (case "retry" $failure)
      (case "retry-after" $retry-after)
      (case "fatal" $failure)
      (case "cancelled" $failure)))
    (import "imported-job-error" (type $job-error (eq $job-error')))
    (import "run" (func $run (param "args" string) (result (result (option string) (error $job-error)))))
    (export $named "job-error" (type $job-error))
    (export "run" (func $run)
      (func (param "args" string) (result (result (option string) (error $named))))))
  (alias export $types "failure" (type $failure))
  (alias export $types "retry-after" (type $retry-after))
  (instance $exported (instantiate $runner
    (with "failure" (type $failure))
    (with "retry-after" (type $retry-after))
    (with "imported-job-error" (type $job-error))
    (with "run" (func $run))))
  (export "clockbox:job/runner@0.1.0" (instance $exported)))
