/// The words that the titles and descriptions of the sample shop are made of.
enum SampleWords {
  /// A shelf of the shop: a department, a kind of goods, the things on it, and what they are for.
  struct Shelf {
    var department: String
    var kind: String
    var things: [String]
    var use: String

    init(_ department: String, _ kind: String, _ things: [String], _ use: String) {
      self.department = department
      self.kind = kind
      self.things = things
      self.use = use
    }
  }

  static let shelves = [
    Shelf("Kitchen", "Cookware", ["Frying Pan", "Stock Pot", "Wok", "Casserole"], "slow cooking"),
    Shelf("Kitchen", "Baking", ["Cake Tin", "Whisk", "Rolling Pin", "Bread Form"], "home baking"),
    Shelf(
      "Kitchen", "Knives", ["Chef Knife", "Bread Knife", "Paring Knife", "Sharpener"], "cutting"),
    Shelf(
      "Kitchen", "Coffee", ["Moka Pot", "Coffee Grinder", "Filter Cone", "Milk Jug"], "mornings"),
    Shelf(
      "Garden", "Planting", ["Seed Tray", "Trowel", "Flower Pot", "Planter"], "balcony gardens"),
    Shelf(
      "Garden", "Watering", ["Garden Hose", "Watering Can", "Sprinkler", "Rain Barrel"], "dry weeks"
    ),
    Shelf(
      "Garden", "Outdoor Living", ["Deck Chair", "Lantern", "Fire Bowl", "Hammock"], "long evenings"
    ),
    Shelf(
      "Garden", "Wildlife", ["Bird Feeder", "Nest Box", "Bee Hotel", "Bird Bath"], "watching birds"),
    Shelf("Office", "Writing", ["Fountain Pen", "Pencil Set", "Marker", "Ink Bottle"], "letters"),
    Shelf("Office", "Paper", ["Notebook", "Sketch Pad", "Planner", "Index Cards"], "taking notes"),
    Shelf(
      "Office", "Desk", ["Desk Lamp", "Monitor Stand", "Drawer Unit", "Desk Mat"], "working at home"
    ),
    Shelf(
      "Office", "Filing", ["Ring Binder", "File Box", "Label Printer", "Stapler"], "tidy records"),
    Shelf(
      "Sports", "Running", ["Running Shoes", "Head Torch", "Running Belt", "Wind Vest"], "long runs"
    ),
    Shelf(
      "Sports", "Cycling", ["Bike Light", "Saddle Bag", "Floor Pump", "Cycling Gloves"], "commuting"
    ),
    Shelf("Sports", "Yoga", ["Yoga Mat", "Cork Block", "Yoga Strap", "Bolster"], "quiet practice"),
    Shelf(
      "Sports", "Climbing", ["Chalk Bag", "Harness", "Quickdraw", "Finger Board"],
      "the climbing wall"),
    Shelf(
      "Music", "Guitar", ["Guitar Strings", "Capo", "Guitar Strap", "Tuner"], "practice rooms"),
    Shelf(
      "Music", "Keyboard", ["Sustain Pedal", "Piano Bench", "Keyboard Stand", "Dust Cover"],
      "keyboards"),
    Shelf(
      "Music", "Percussion", ["Drum Sticks", "Shaker", "Tambourine", "Practice Pad"], "rhythm"),
    Shelf(
      "Music", "Recording", ["Microphone", "Pop Filter", "Audio Cable", "Headphones"],
      "home studios"),
    Shelf("Tools", "Woodwork", ["Hand Saw", "Chisel", "Wood Plane", "Bar Clamp"], "joinery"),
    Shelf(
      "Tools", "Electrics", ["Soldering Iron", "Multimeter", "Wire Stripper", "Cable Ties"],
      "repairs"),
    Shelf(
      "Tools", "Painting", ["Paint Roller", "Masking Tape", "Brush Set", "Drop Cloth"], "renovation"
    ),
    Shelf(
      "Tools", "Measuring", ["Tape Measure", "Spirit Level", "Caliper", "Try Square"], "exact work"),
    Shelf(
      "Toys", "Building", ["Wooden Blocks", "Marble Run", "Brick Set", "Gear Kit"], "small builders"
    ),
    Shelf(
      "Toys", "Puzzles", ["Jigsaw Puzzle", "Puzzle Cube", "Word Game", "Tangram"], "rainy days"),
    Shelf("Toys", "Soft Toys", ["Teddy Bear", "Plush Fox", "Hand Puppet", "Rag Doll"], "bedtime"),
    Shelf("Toys", "Outdoor Play", ["Kite", "Skipping Rope", "Sand Mould", "Frisbee"], "the park"),
    Shelf("Home", "Bedding", ["Duvet Cover", "Pillow", "Wool Blanket", "Bed Sheet"], "good sleep"),
    Shelf(
      "Home", "Bath", ["Bath Towel", "Soap Dish", "Shower Curtain", "Bath Mat"], "the bathroom"),
    Shelf(
      "Home", "Candles", ["Scented Candle", "Candle Holder", "Tea Lights", "Oil Lamp"], "warm light"
    ),
    Shelf(
      "Home", "Storage", ["Storage Basket", "Shoe Rack", "Coat Hook", "Linen Chest"], "small flats"),
    Shelf(
      "Travel", "Luggage", ["Suitcase", "Backpack", "Packing Cube", "Luggage Tag"], "weekends away"),
    Shelf(
      "Travel", "Camping", ["Tent", "Sleeping Bag", "Camp Stove", "Water Filter"], "camp sites"),
    Shelf(
      "Travel", "Photography", ["Tripod", "Lens Cloth", "Camera Bag", "Memory Card"], "photographs"),
    Shelf("Travel", "Maps", ["Trail Map", "Compass", "Globe", "Guide Book"], "finding the way"),
    Shelf("Pets", "Dogs", ["Dog Lead", "Dog Bed", "Chew Toy", "Food Bowl"], "walks"),
    Shelf(
      "Pets", "Cats", ["Cat Tree", "Scratch Post", "Cat Tunnel", "Litter Scoop"], "house cats"),
    Shelf(
      "Pets", "Aquarium", ["Fish Tank", "Water Pump", "Tank Heater", "Aquarium Gravel"],
      "clear water"),
    Shelf(
      "Pets", "Small Animals", ["Hay Rack", "Running Wheel", "Hutch", "Water Bottle"], "rabbits"),
  ]

  static let brands = [
    "Harlow", "Nordvik", "Bramble", "Kestrel", "Tamarind", "Oakridge", "Lumina", "Pellworm",
    "Castor", "Wren", "Solder & Sons", "Maravilla", "Quince", "Tidewater", "Alpenrose", "Brisk",
  ]
  static let qualities = [
    "Compact", "Classic", "Large", "Light", "Sturdy", "Folding", "Everyday", "Professional",
    "Small", "Handmade", "Simple", "Quiet",
  ]
  static let materials = [
    "steel", "oak", "bamboo", "cotton", "wool", "recycled plastic", "brass", "linen", "cork",
    "aluminium", "clay", "canvas",
  ]
  static let features = [
    "easy to clean", "made to last", "packed without plastic", "with a ten year guarantee",
    "a favourite of our customers", "light enough to carry", "tested by hand", "simple to repair",
  ]
  static let colours = [
    "Walnut", "Slate", "Cream", "Forest", "Ruby", "Navy", "Sand", "Black", "White", "Amber",
  ]
}
