;; A job component that answers with 8 MiB of output.
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
    (memory (export "memory") 160)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (func (export "run") (param i32 i32) (result i32)
      (memory.fill (i32.const 65536) (i32.const 34) (i32.const 8388608))
      ;; Success at 0, output at 8, its address and length at 12.
      (i32.store8 (i32.const 8) (i32.const 1))
      (i32.store (i32.const 12) (i32.const 65536))
      (i32.store (i32.const 16) (i32.const 8388608))
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
