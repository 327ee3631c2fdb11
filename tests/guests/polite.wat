;; A job component that goes on until it is asked to stop: it looks at `context.is-cancelled` again and again, and then
;; answers `cancelled` with words of its own.
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
  (import "clockbox:job/context@0.1.0" (instance $context
    (export "is-cancelled" (func (result bool)))))
  (alias export $types "job-error" (type $job-error))
  (core func $is_cancelled (canon lower (func $context "is-cancelled")))

  (core module $guest
    (import "context" "is-cancelled" (func $is_cancelled (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 1000) "as-asked")
    (data (i32.const 1010) "half of the work is done")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      ;; Only the arguments come this way, once an instance.
      (i32.const 4096))
    ;; The result at 0: failure, the case `cancelled`, code and message as addresses and lengths.
    (func (export "run") (param i32 i32) (result i32)
      (loop $again (br_if $again (i32.eqz (call $is_cancelled))))
      (i32.store8 (i32.const 0) (i32.const 1))
      (i32.store8 (i32.const 8) (i32.const 4))
      (i32.store (i32.const 16) (i32.const 1000))
      (i32.store (i32.const 20) (i32.const 8))
      (i32.store (i32.const 24) (i32.const 1010))
      (i32.store (i32.const 28) (i32.const 24))
      (i32.const 0)))
  (core instance $core (instantiate $guest
    (with "context" (instance (export "is-cancelled" (func $is_cancelled))))))
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
