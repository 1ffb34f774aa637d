import { startTestKinora } from "../support/kinora.ts";
import { journeySuite } from "./journey.suite.ts";

journeySuite("a person with a browser", () => startTestKinora());
