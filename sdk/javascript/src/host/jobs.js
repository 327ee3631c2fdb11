export * from "clockbox:jobs/control@0.1.0";
