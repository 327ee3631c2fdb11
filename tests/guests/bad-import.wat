;; Wants something that no host of this kind has.
(component
  (import "acme:rockets/launchpad@1.0.0" (instance
    (export "launch" (func)))))
