export * from "clockbox:http/client@0.1.0";
