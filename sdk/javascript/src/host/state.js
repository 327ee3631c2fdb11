export * from "clockbox:state/store@0.1.0";
