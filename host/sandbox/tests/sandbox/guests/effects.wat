  ;; Each adds a line with the answer that lies at 256.
  (data (i32.const 700) "ok\n" "none\n" "true\n" "false\n" "some " "error ")

  ;; An error as `error`, its number and its message; answers whether it was one.
  (func $told_error (result i32)
    (if (i32.eqz (i32.load8_u (i32.const 256))) (then (return (i32.const 0))))
    (call $add (i32.const 724) (i32.const 6))
    (call $add_byte (i32.add (i32.const 48) (i32.load8_u (i32.const 260))))
    (call $add_byte (i32.const 32))
    (call $add_line (i32.const 264))
    (i32.const 1))

  (func $tell_nothing
    (if (call $told_error) (then (return)))
    (call $add (i32.const 700) (i32.const 3)))

  (func $tell_option
    (if (call $told_error) (then (return)))
    (if (i32.load8_u (i32.const 260))
      (then
        (call $add (i32.const 719) (i32.const 5))
        (call $add_line (i32.const 264)))
      (else (call $add (i32.const 703) (i32.const 5)))))

  (func $tell_bool
    (if (call $told_error) (then (return)))
    (if (i32.load8_u (i32.const 260))
      (then (call $add (i32.const 708) (i32.const 5)))
      (else (call $add (i32.const 713) (i32.const 6)))))

  (func $tell_list
    (local $at i32) (local $left i32)
    (if (call $told_error) (then (return)))
    (local.set $at (i32.load (i32.const 260)))
    (local.set $left (i32.load (i32.const 264)))
    (loop $each
      (if (local.get $left) (then
        (call $add (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))
        (call $add_byte (i32.const 44))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $each))))
    (call $add_byte (i32.const 10)))
